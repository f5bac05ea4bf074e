"""What a user shard does with persons: whose lists are written when, and what is taken back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW
from tests.udfs.models.item_cf.test_taking_back import Counts, counts
from tests.udfs.persons import Town, linked, parted
from udfs.events.batch import make_batch, pack
from udfs.events.people import FORGET, PROFILE, PersonChange
from udfs.learning.effects import END, Part, Wake, Write
from udfs.models.options import ItemCF

IDS = ["ann", "anon", "phone", "bob", "cid"]
Line = tuple[str, str, str]
did = st.tuples(st.just("did"), st.sampled_from(IDS), st.sampled_from("uvwxyz"))
link = st.tuples(st.just("link"), st.sampled_from(IDS[:3]), st.sampled_from(IDS[:3]))


def lived(lines: Sequence[Line]) -> Town:
    town = Town(shards=1, item_cf=ItemCF(window=3))
    for kind, one, other in lines:
        if kind == "did":
            town.did((one, other))
        else:
            town.said(linked(one, other, NOW))
    return town


def paired(town: Town) -> Counts:
    learner = town.learners[0]
    names = {slot: item or "" for slot, item in enumerate(learner.catalogue.ids)}
    return counts(learner.models.neighbours, learner.catalogue, names)


def least(found: Counts, wanted: Counts) -> bool:
    """Whether no count is lower than wanted."""
    for item, (weight, pairs) in wanted.items():
        own, own_pairs = found.get(item, (0.0, {}))
        near = all(own_pairs.get(other, 0.0) >= value - 1e-3 for other, value in pairs.items())
        if own < weight - 1e-3 or not near:
            return False
    return True


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(did, did, did, link), max_size=30))
def test_no_more_is_taken_back_of_a_person_than_its_ids_have_added(lines: list[Line]) -> None:
    town = lived(lines)
    person = {name for name in IDS if town.place(name) == town.place("ann")}
    town.said(PersonChange(FORGET, "ann", NOW))
    wanted = paired(lived([line for line in lines if line[1] not in person]))
    assert least(paired(town), wanted)
    if person == {"ann"}:
        assert paired(town) == wanted


def test_what_a_person_took_after_the_log_in_is_taken_back() -> None:
    before: list[Line] = [("did", "ann", "u"), ("did", "anon", "v"), ("link", "anon", "ann")]
    after: list[Line] = [("did", "anon", "x"), ("did", "ann", "y")]
    town = lived([*before, *after])
    town.said(PersonChange(FORGET, "ann", NOW))
    assert {*paired(town)} == {"u", "v"}
    assert not any(pairs for _, pairs in paired(town).values())
    # An account without events takes the visitor's history over as it is.
    town = lived([("did", "anon", "u"), ("did", "anon", "v"), ("link", "anon", "ann"), *after])
    town.said(PersonChange(FORGET, "ann", NOW))
    assert paired(town) == {}


def test_of_a_history_that_was_parted_nothing_older_is_taken_back() -> None:
    town = lived([("did", "ann", "u"), ("did", "anon", "v"), ("link", "anon", "ann")])
    town.said(parted("anon", NOW + 1))
    town.did(("bob", "u"), ("bob", "v"))
    before = paired(town)
    town.start()  # from the state
    town.did(("ann", "w"))
    town.said(PersonChange(FORGET, "ann", NOW + 2))
    assert not town.user_states[0].joined.data.keys() & {"ann"}
    assert before["u"][0] == 2.0


def test_what_is_kept_for_long_of_a_person_leaves_with_the_ids_that_are_parted() -> None:
    town = Town(shards=1)
    town.did(("anon", "x"), ("anon", "y"), ("ann", "z"))
    effects = []
    for change in (linked("anon", "ann", NOW), parted("ann", NOW + 1)):
        for message in town.to_users(change):
            effects += [*town.steps[0].batch(7, message)]
    assert [effect for effect in effects if isinstance(effect, Part)] == [Part(["anon"])]


@pytest.mark.parametrize("profile", [False, True])
@pytest.mark.parametrize("batch", [False, True])
def test_lists_of_who_logs_in_are_ranked_with_those_of_the_next_batch(
    batch: bool, profile: bool
) -> None:
    town = Town(shards=1)
    town.did(("anon", "x"), ("anon", "y"), ("bob", "x"), ("bob", "z"))
    if profile:
        town.said(PersonChange(PROFILE, "ann", NOW, {"country": "DE"}))
    step, wakes = town.steps[0], list[int]()
    for message in town.to_users(linked("anon", "ann", NOW)):
        for effect in step.batch(7, message):
            assert not isinstance(effect, Write), "no ranking for a link alone"
            wakes += [effect.at_ms] if isinstance(effect, Wake) else []
    if batch:
        one = np.ones(1)
        more = pack(make_batch(["bob"], ["y"], one, one, np.array([NOW]), [""], NOW))
        rankings = [e for e in step.batch(7, more) if isinstance(e, Write)]
        assert not [e for e in step.timer(7, min(wakes)) if isinstance(e, Write)]
    else:
        rankings = [e for e in step.timer(7, min(wakes)) if isinstance(e, Write)]
    names = {name for effect in rankings for some in effect.updates for name in some.names}
    assert len(rankings) == 1
    assert names == {"anon", "ann", *(["bob"] * batch)}


def test_what_is_written_once_more_is_written_before_the_end() -> None:
    town = Town(shards=1)
    town.did(("anon", "x"), ("ann", "y"), ("bob", "x"), ("bob", "z"), ("bob", "v"))
    town.said(linked("anon", "ann", NOW))
    town.lists.clear()
    town.now += 2_000
    town.take(0, town.steps[0].timer(7, END))
    assert {"rec:anon", "rec:ann"} <= town.lists.keys()
    assert town.user_states[0].due.value() is None
