"""One user moves the counts of a day by one at most, whatever happens."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, batch_of
from tests.udfs.fakes import DictState
from tests.udfs.persons import Town, linked, parted
from udfs.errors import ServiceError
from udfs.events.batch import pack
from udfs.events.item_changes import item_shards
from udfs.events.people import FORGET, PersonChange
from udfs.feed.metadata import Described
from udfs.learning.contributions import (
    Contributions,
    is_contributions,
    pack_contributions,
    unpack_contributions,
)
from udfs.learning.effects import Emit
from udfs.models.popular.noise import DAY_MS, day_of
from udfs.options.privacy import Privacy

SHARDS = 3
Counts = Counter[tuple[int, str]]


def told(effects: Iterable[Any]) -> Counts:
    """What is added to the count of each day and item; messages go to the owners of the items."""
    found: Counts = Counter()
    for effect in effects:
        if isinstance(effect, Emit) and is_contributions(effect.message):
            day, changes = unpack_contributions(effect.message)
            for item, more in changes.items():
                found[day, item] += more
                assert more
    return found


def count(rows: DictState, day: int, *pairs: tuple[str, str]) -> Counts:
    return told(Contributions(rows, SHARDS).count(pairs, day))


def test_the_first_item_of_a_user_counts_once_a_day() -> None:
    rows = DictState()
    assert count(rows, 5, ("ann", "a"), ("bob", "b"), ("ann", "c")) == {(5, "a"): 1, (5, "b"): 1}
    assert count(rows, 5, ("ann", "d"), ("cid", "a")) == {(5, "a"): 1}
    assert count(rows, 6, ("ann", "d"), ("bob", "d")) == {(6, "d"): 2}


def test_where_the_clock_goes_back_nothing_counts_until_it_has_caught_up() -> None:
    rows = DictState()
    count(rows, 6, ("ann", "a"))
    assert not count(rows, 5, ("ann", "b"))
    assert not count(rows, 5, ("bob", "b")), "who may have been forgotten since"
    assert not count(rows, 6, ("ann", "b"))
    assert count(rows, 7, ("ann", "b")) == {(7, "b"): 1}


def test_messages_go_to_the_owners_of_the_items() -> None:
    names = [f"i{n}" for n in range(9)]
    effects = [*Contributions(DictState(), SHARDS).count([(n, n) for n in names], 5)]
    for effect in effects:
        _, changes = unpack_contributions(effect.message)
        assert {*item_shards(changes, SHARDS)} == {effect.item_shard}
    assert sum(len(unpack_contributions(e.message)[1]) for e in effects) == len(names)


def test_what_is_taken_back_is_what_counted() -> None:
    rows = DictState()
    count(rows, 5, ("ann", "a"), ("bob", "a"))
    assert told(Contributions(rows, SHARDS).take_back("ann", 5)) == {(5, "a"): -1}
    assert not told(Contributions(rows, SHARDS).take_back("ann", 5))
    assert sorted(rows.data) == ["", "bob"]


def test_of_a_day_that_is_over_nothing_is_taken_back() -> None:
    """It may be published before the next checkpoint, and once more after a failure."""
    rows = DictState()
    count(rows, 5, ("ann", "a"))
    assert not told(Contributions(rows, SHARDS).take_back("ann", 6))
    assert sorted(rows.data) == [""]


def test_a_day_that_is_spent_counts_no_more_and_leaves_what_did() -> None:
    rows = DictState()
    count(rows, 5, ("ann", "a"))
    own = Contributions(rows, SHARDS)
    for user in ("ann", "bob"):
        own.spend(user, 5)
        assert not count(rows, 5, (user, "b"))
    assert told(own.take_back("ann", 5)) == {(5, "a"): -1}
    assert not told(own.take_back("bob", 5))
    own.spend("cid", 4)
    assert count(rows, 5, ("cid", "a")) == {(5, "a"): 1}


def test_rows_go_the_day_after_the_next() -> None:
    rows = DictState()
    count(rows, 5, ("ann", "a"))
    count(rows, 6, ("bob", "a"))
    for day, left in ((5, ["", "ann", "bob"]), (6, ["", "ann", "bob"]), (7, ["", "bob"]), (8, [])):
        Contributions(rows, SHARDS).sweep(day)
        assert sorted(rows.data) == left


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode([2, 5, "a"])])
def test_a_row_of_another_form_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ServiceError, match="what counts of a user"):
        count(DictState({"ann": data}), 5, ("ann", "a"))


def test_the_form_of_a_row_and_of_a_message() -> None:
    rows = DictState()
    count(rows, 20_000, ("ann", "ü"))
    assert rows.data["ann"] == bytes.fromhex("9301cd4e20a2c3bc")
    assert pack_contributions(20_000, {"ü": -1}) == b"C" + bytes.fromhex("920192cd4e2081a2c3bcff")
    assert count(DictState({"ann": bytes.fromhex("9301cd4e20a2c3bc")}), 20_001, ("ann", "b"))


IDS = ["ann", "anon", "phone", "bob"]
ITEMS = "uvwxyz"
Line = tuple[Any, ...]


def did(users: Collection[str]) -> st.SearchStrategy[Line]:
    return st.tuples(
        st.just("did"),
        st.sampled_from([*users]),
        st.sampled_from(ITEMS),
        st.integers(-3, 1),  # days: late, or with a wrong clock
        st.sampled_from([1.0, 1.0, 3.0, -1.0]),  # views, purchases, dislikes
    )


link = st.tuples(st.just("link"), st.just("anon"), st.sampled_from(["ann", "phone"]))
part = st.tuples(st.just("part"), st.sampled_from(IDS[:3]))
forget = st.tuples(st.just("forget"), st.sampled_from(IDS))
time = st.sampled_from([("night",), ("hour",), ("back",)])
fate = st.sampled_from([("start",), ("keep",), ("keep",), ("fail",)])


def lives(*lines: st.SearchStrategy[Line]) -> st.SearchStrategy[list[Line]]:
    """Long enough for something to happen."""
    return st.lists(st.one_of(*lines), min_size=8, max_size=30)


class Counted(Town):
    """A town whose contributions are counted as by the item learners."""

    def __init__(self) -> None:
        self.counts: Counts = Counter()
        self.lines = 0
        super().__init__(2, privacy=Privacy(epsilon=1.0))
        self.keep()

    def start(self) -> None:
        super().start()
        for learner in self.learners:
            learner.describe([Described(item, 1) for item in ITEMS], self.now)

    def take(self, shard: int, effects: Iterable[Any]) -> None:
        effects = [*effects]
        self.counts.update(told(effects))
        super().take(shard, effects)

    def keep(self) -> None:
        """A checkpoint of both."""
        self.kept = copy.deepcopy((self.state, self.user_states, self.counts))

    def fail(self) -> None:
        """Go on from the last checkpoint."""
        self.state, self.user_states, self.counts = copy.deepcopy(self.kept)
        self.start()

    def live(self, lines: Iterable[Line], without: Collection[str] = ()) -> Counted:
        """Take lines, without the events of some ids."""
        for kind, *args in lines:
            self.lines += 1
            ts = self.now + self.lines
            if kind == "did" and args[0] not in without:
                user, item, days, weight = args
                self.did((user, item), ts=ts + days * DAY_MS, weight=weight)
            elif kind == "link":
                self.said(linked(*args, ts))
            elif kind == "part":
                self.said(parted(*args, ts))
            elif kind == "forget":
                self.said(PersonChange(FORGET, *args, ts))
            elif kind == "night":
                self.later(DAY_MS - self.now % DAY_MS)
            elif kind == "hour":
                self.later(3_600_000)
            elif kind == "back":
                self.now -= 7_200_000
            elif kind in ("start", "keep", "fail"):
                getattr(self, kind)()
        return self

    def by_day(self) -> dict[int, int]:
        """How many counts each day has."""
        assert min(self.counts.values(), default=0) >= 0
        found: Counter[int] = Counter()
        for (day, _), n in self.counts.items():
            found[day] += n
        return found


def apart(one: Counts, other: Counts) -> dict[int, int]:
    """The distance of two counts in L1, by day."""
    found: Counter[int] = Counter()
    for at in one | other:
        found[at[0]] += abs(one[at] - other[at])
    return found


@settings(max_examples=40, deadline=None)
@given(lives(*3 * [did(["ann", "bob"])], *3 * [time], fate, forget))
@example(
    [
        ("did", "ann", "u", 0, 1.0),
        ("night",),
        ("did", "bob", "u", 0, 1.0),
        ("forget", "ann"),
        ("back",),
        ("did", "ann", "u", 1, 1.0),
    ]
)
def test_with_one_user_more_the_counts_of_a_day_are_one_apart(lines: list[Line]) -> None:
    """Through failures, late events, a clock that goes back, and being forgotten."""
    whole, without = Counted().live(lines), Counted().live(lines, without=["ann"])
    assert max(apart(whole.counts, without.counts).values(), default=0) <= 1


@settings(max_examples=40, deadline=None)
@given(lives(*4 * [did(IDS)], time, time, fate))
def test_with_one_person_of_several_ids_more_they_are_too(lines: list[Line]) -> None:
    """Who is forgotten is forgotten to have several."""
    links = [("link", "anon", "ann"), ("link", "phone", "anon"), ("keep",)]
    whole, without = (Counted().live([*links, *lines], ids) for ids in ((), IDS[:3]))
    assert max(apart(whole.counts, without.counts).values(), default=0) <= 1


@settings(max_examples=60, deadline=None)
@given(lives(*4 * [did(IDS[:3])], link, link, part, fate, forget))
def test_ids_that_are_joined_on_a_day_count_once_on_it_and_no_more_when_parted(
    lines: list[Line],
) -> None:
    town, active = Counted(), set[str]()
    for line in lines:
        town.live([line])
        active |= {line[1]} if line[0] == "did" else set()
        persons = {town.place(name) for name in active}
        assert town.by_day().get(day_of(town.now), 0) <= len(persons)


def test_a_visitor_who_logs_in_counts_once_that_day() -> None:
    town = Counted()
    town.did(("anon", "x"), ("ann", "y"), ("ann", "z"))
    assert sum(town.by_day().values()) == 2
    town.said(linked("anon", "ann", town.now))
    town.did(("anon", "u"), ("ann", "v"))
    assert {item: n for (_, item), n in town.counts.items() if n} == {"y": 1}
    town.said(parted("anon", town.now + 1))
    town.did(("anon", "u"))
    assert town.by_day() == {day_of(town.now): 1}, "some of it may have been this id's"
    town.later(DAY_MS)
    town.did(("anon", "u"), ("ann", "v"))
    assert town.by_day()[day_of(town.now)] == 2


def test_who_is_forgotten_does_not_count_and_may_count_again() -> None:
    town = Counted()
    town.did(("ann", "x"))
    town.said(PersonChange(FORGET, "ann", town.now))
    assert not sum(town.by_day().values())
    assert not any("ann" in state.contributed.data for state in town.user_states)
    town.did(("ann", "y"), ts=town.now + 1)
    assert +town.counts == {(day_of(town.now), "y"): 1}


def test_only_what_is_liked_consumed_and_described_counts() -> None:
    town = Counted()
    town.did(("ann", "nameless"))
    town.did(("ann", "u"), weight=-1.0)
    assert not town.counts
    town.did(("ann", "v"))
    assert town.counts == {(day_of(town.now), "v"): 1}


def test_with_the_option_off_nothing_is_told_and_old_rows_go() -> None:
    town = Town(1)
    state = town.user_states[0]
    [*Contributions(state.contributed, SHARDS).count([("ann", "a")], day_of(NOW) - 2)]
    effects = [*town.steps[0].batch(7, pack(batch_of([("bob", "a")])))]
    assert not told(effects)
    assert "ann" in dict(state.contributed.items())
    town.later(DAY_MS)
    assert state.contributed.is_empty()
