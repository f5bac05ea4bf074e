from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs.builders import NOW, OneShard, batch_of
from tests.udfs.learning.test_item_step import Feed, message, outside
from tests.udfs.learning.test_item_step import handles as item_handles
from tests.udfs.metadata import reader
from tests.udfs.persons import Marks, handles
from tests.udfs.ranking.steps.test_rerank import ITEMS, USERS, fields, lists, names, taught
from udfs.events.batch import pack
from udfs.events.searches import Search, pack_searches
from udfs.feed.deltas import unpack_deltas
from udfs.feed.parameters import total
from udfs.learning.effects import Effect, Emit, Report, Write
from udfs.learning.item_step import ItemStep
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.shared_parameters import as_they_begin
from udfs.learning.user_step import UserStep
from udfs.options.rules import Rule
from udfs.ranking.steps.exposure import EXPOSURE, MOST, RATE, Exposure, add_exposures, favour

RULE = Rule(when='provider == "b3"', exposure=0.5)


@given(
    st.lists(st.lists(st.integers(0, 7), max_size=5, unique=True), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), min_size=8, max_size=8),
    st.lists(st.floats(0.0, MOST), min_size=2, max_size=2),
    st.integers(1, 6),
)
def test_the_kernels_do_what_their_plain_twins_do(
    some: list[list[int]], bits: list[int], theta: list[float], n: int
) -> None:
    items = np.full((len(some), 5), -1, np.int32)
    for row, own in enumerate(some):
        items[row, : len(own)] = own
    packed, meant = np.array(bits, np.uint32), np.array([1, 2], np.uint32)
    values, found = np.zeros(items.shape, np.float32), np.zeros(2)
    favour(items, values, packed, meant, np.array(theta))
    lists_counted = add_exposures(items, n, packed, meant, found)
    expected, shares = np.zeros(items.shape), np.zeros(2)
    for row, own in enumerate(some):
        weights = [1 / np.log2(place + 1) for place in range(1, len(own) + 1)][:n]
        for k, item in enumerate(own):
            for rule in range(2):
                if bits[item] >> rule & 1:
                    expected[row, k] += theta[rule]
                    shares[rule] += weights[k] / sum(weights) if k < n else 0.0
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(found, shares, rtol=1e-9)
    assert lists_counted == sum(map(bool, some))


def exposure(learner: Learner) -> Exposure:
    return learner.models.steps.rerank.exposure


def share(learner: Learner) -> float:
    """The exposure of what the rule means in the lists of all users now."""
    found = []
    for made in lists(learner):
        weights = 1 / np.log2(np.arange(len(names(made))) + 2)
        meant = [fields(item)["provider"] == "b3" for item in names(made)]
        found.append(float(weights @ meant / weights.sum()))
    return float(np.mean(found))


def test_the_share_is_reached_and_kept() -> None:
    learner = taught(rules=[RULE]).learner
    before = share(taught().learner)
    assert before < 0.25 < RULE.exposure
    for _ in range(300):
        share(learner)
    theta = exposure(learner).parameters
    late = np.mean([share(learner) for _ in range(200)])
    assert late >= 0.49 and 0.0 < theta[0] < MOST
    lower = taught(rules=[Rule(when=RULE.when, exposure=0.01)]).learner
    assert share(lower) == before and exposure(lower).parameters.tolist() == [0.0]


def test_what_lists_show_is_counted_once_against_what_is_asked_for() -> None:
    learner = taught(rules=[Rule(when='item == "i35"', exclude=True), RULE]).learner
    found = [share(learner) for _ in range(5)]
    told = exposure(learner).counted()
    assert told["2:lists"] == 5 * USERS and told["2:wanted"] == 5 * USERS * RULE.exposure
    assert told["2:shown"] / told["2:lists"] == pytest.approx(np.mean(found))
    assert exposure(learner).counted() == {}


def test_over_any_lists_the_share_lacks_no_more_than_theta_allows() -> None:
    learner = taught(rules=[RULE]).learner
    found = [share(learner) for _ in range(400)]
    theta = float(exposure(learner).parameters[0])
    assert theta < MOST
    assert np.mean(found) >= RULE.exposure - theta / (RATE * len(found) * USERS) - 1e-6


def test_lists_that_are_not_served_teach_nothing() -> None:
    learner = taught(rules=[RULE]).learner
    learner.models.rank(np.arange(USERS, dtype=np.int32), NOW + 1)
    assert exposure(learner).parameters.tolist() == [0.0]
    assert EXPOSURE not in taught().learner.models.shared


def test_only_items_of_the_rule_gain_and_nothing_forbidden_comes() -> None:
    learner = taught(rules=[RULE, Rule(when='item == "i35"', exclude=True)]).learner
    exposure(learner).put(np.array([MOST]))
    for made in lists(learner):
        own = names(made)
        assert "i35" not in own
        meant = [fields(item)["provider"] == "b3" for item in own]
        assert meant == sorted(meant, reverse=True), "a factor of 400 goes before what suits"


def told(effects: list[Effect]) -> dict[str, NDArray[np.float64]]:
    """What messages add to shared parameters."""
    messages = [effect.message for effect in effects if isinstance(effect, Emit)]
    return total([unpack_deltas(message).parameters for message in messages])


def step(**options: Any) -> tuple[UserStep, Learner]:
    settings = taught(rules=[RULE], refill_per_s=0, **options).learner.settings
    learner, marks = Learner(settings), Marks()
    known: Any = taught(rules=[RULE]).learner.catalogue.metadata.bits
    slots = learner.catalogue.slots(ITEMS)
    learner.catalogue.metadata.bits[slots] = known[: len(slots)]
    job = JobSettings(options=settings, item_keys=[100, 101])
    made: Any = marks
    return UserStep(job, handles(), learner, made, reader(), lambda _: made, lambda: NOW), learner


def test_what_a_learner_adds_is_in_the_messages_of_the_same_element_whatever_made_the_list() -> (
    None
):
    one, learner = step()
    batch = pack(batch_of([(f"u{n % 3}", ITEMS[n]) for n in range(9)]))
    first = told(list(one.batch(7, batch)))
    theta = exposure(learner).parameters
    assert theta[0] > 0 and first[EXPOSURE].tolist() == theta.tolist()
    # A search makes a list without any event that is learned.
    later = list(one.batch(7, pack_searches([Search("u1", "thing", NOW)])))
    assert any(isinstance(effect, Write) for effect in later)
    [report] = [effect for effect in one.timer(7, NOW + 999) if isinstance(effect, Report)]
    assert report.account.exposure["1:lists"] == 4
    assert (first[EXPOSURE] + told(later)[EXPOSURE]).tolist() == pytest.approx(
        exposure(learner).parameters.tolist(), abs=1e-15
    )
    assert exposure(learner).added() is None


def test_learners_share_it_and_what_is_not_told_yet_stays() -> None:
    rules = taught(rules=[RULE]).learner.settings
    owner = as_they_begin(rules)
    learners = [taught(rules=[RULE]).learner for _ in range(2)]
    for _ in range(20):
        for learner in learners:
            share(learner)
            added = exposure(learner).added()
            assert added is not None
            owner.add({EXPOSURE: added})
    whole = owner.take_changed(NOW)[EXPOSURE]
    share(learners[0])
    for learner in learners:
        learner.models.put(
            [], learner.catalogue.rows(np.zeros(0, np.int32)), [], [], {EXPOSURE: whole}
        )
    assert exposure(learners[1]).parameters.tolist() == whole.tolist()
    assert exposure(learners[0]).parameters[0] == pytest.approx(whole[0] + 0.03, abs=0.03)
    assert exposure(learners[0]).parameters[0] > whole[0]


@pytest.mark.parametrize("values", [[1.0, 2.0], []])
def test_parameters_of_other_rules_change_nothing(values: list[float]) -> None:
    learner: Learner = OneShard(rules=[RULE]).learner
    exposure(learner).put(np.array([0.5]))
    exposure(learner).put(np.array(values))
    assert exposure(learner).parameters.tolist() == [0.5]


def test_it_survives_a_restart_to_the_digit_applied_or_not() -> None:
    settings = taught(rules=[RULE], snapshot_s=10).learner.settings
    job, state = JobSettings(options=settings, item_keys=[100, 101]), item_handles()

    def started() -> ItemStep:
        one = ItemStep(job, state, outside(Feed()), False, lambda: NOW)
        list(one.timer(100, NOW))
        return one

    def theta(one: ItemStep) -> list[float]:
        shared = one.shards[100].shard.shared
        assert shared is not None
        return shared.values[EXPOSURE].tolist()

    one = started()
    assert theta(one) == [0.0]
    for _ in range(3):
        list(one.message(100, message({EXPOSURE: np.array([0.1])})))
    assert theta(started()) == [0.1 + 0.1 + 0.1], "from the inbox, after a kill"
    list(one.timer(100, NOW + 100))
    assert theta(one) == theta(started()) == [0.1 + 0.1 + 0.1]
