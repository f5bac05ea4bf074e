"""How likely places are looked at: the learners' counts add up, and clicks count by their place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, changed
from udfs.attributed import PLACES
from udfs.learning.learner import Learner
from udfs.models.options import RankerOptions
from udfs.ranking.steps.examination import EXAMINATION, MOST, Examination

Looks = list[tuple[int, bool, bool]]
looks = st.lists(st.tuples(st.integers(0, PLACES + 3), st.booleans(), st.booleans()))


def known(patience: float) -> Examination:
    one, places = Examination(wanted=True), np.arange(PLACES)
    one.put(np.concatenate([np.full(PLACES, 1000.0), 100.0 * patience**places]))
    return one


@given(looks, looks)
def test_the_counts_of_several_learners_add_up(first: Looks, other: Looks) -> None:
    one, two, owner = Examination(wanted=True), Examination(wanted=True), np.zeros(2 * PLACES)
    for learner, seen in ((one, first), (two, other)):
        for look in seen:
            learner.see(*look)
    if (told := one.added()) is not None:
        owner += told
    two.put(owner)  # with what it has not told yet
    whole = Examination(wanted=True)
    for look in first + other:
        whole.see(*look)
    np.testing.assert_array_equal(two.parameters, whole.parameters)
    if (told := two.added()) is not None:
        owner += told
    assert one.added() is None and two.added() is None
    np.testing.assert_array_equal(owner, whole.parameters)


@given(st.lists(st.one_of(st.none(), st.integers(0, 40)), min_size=1))
def test_what_is_less_likely_looked_at_counts_more_up_to_a_limit(places: list[int | None]) -> None:
    worth = known(0.8).worth(places)
    if worth is None:
        assert all(place is None for place in places)
        return
    expected = [1.0 if one is None else min(0.8**-one, MOST) for one in places]
    assert worth.tolist() == pytest.approx(expected, rel=1e-4)


def test_as_long_as_nothing_is_known_or_wanted_all_events_teach_the_same() -> None:
    assert Examination(wanted=True).worth([3]) is None
    off = Examination(wanted=False)
    off.see(1, True, True)
    off.put(known(0.5).parameters)
    assert off.worth([3]) is None and off.added() is None and not off.parameters[:1].any()


def test_learners_share_the_counts_by_name() -> None:
    learner = Learner(changed(SETTINGS, ranker=RankerOptions(position_bias=True)))
    assert (
        EXAMINATION in learner.models.shared and EXAMINATION not in Learner(SETTINGS).models.shared
    )
    learner.models.put([], np.zeros(0), [], [], {EXAMINATION: known(0.5).parameters})
    assert learner.models.steps.examination.worth([1]) == pytest.approx([2.0])


def test_the_ranker_learns_more_from_what_counts_more() -> None:
    def weights(worth: float | None) -> NDArray[np.float64]:
        shard = OneShard()
        taken_before = [(user, item) for user in ("bob", "cid", "dan") for item in "abcde"]
        for user, item in (*taken_before, ("ann", "a"), ("ann", "b"), ("eve", "a"), ("eve", "c")):
            shard.learn(batch_of([(user, item)]))
        models, before = shard.learner.models, shard.learner.models.ranker.parameters
        taken = shard.learner.catalogue.find(["c"])
        one = None if worth is None else np.array([worth], np.float32)
        models.blend.train(models.moment(shard.slots("ann"), NOW), taken, one)
        return models.ranker.parameters - before

    plain, same, more = weights(None), weights(1.0), weights(3.0)
    np.testing.assert_array_equal(plain, same)
    half = len(plain) // 2
    np.testing.assert_allclose(more[half:], 9.0 * plain[half:], rtol=1e-5)
    assert plain.any()
