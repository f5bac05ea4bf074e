"""What is sent, when and to whom: against a plain account of every change."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import keys
from udfs.feed import unsent
from udfs.feed.deltas import Touched, apply_deltas, pack_deltas, unpack_deltas
from udfs.feed.mark_kernels import SEVERAL
from udfs.feed.marks import SEND, Marks
from udfs.feed.unsent import LATE_MS, SETTLE_MS, WHOLE_MS, Unsent
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex

D, ALL = 2, 10**9
START = 1_700_000_000_000


class Owner:
    """A shard of items a, b, c, with nothing but its account of what to send."""

    def __init__(self) -> None:
        self.catalogue = Catalogue(D, 1, 10)
        self.marks = self.catalogue.attach(Marks(), slots=False)
        neighbours = self.catalogue.attach(Neighbours(), slots=False)
        self.unsent = Unsent(self.catalogue, neighbours, self.marks, KeyIndex())
        self.catalogue.slots(["a", "b", "c"])

    def change(self, item: str, origin: int, now: int, by: float = 1.0, events: int = 0) -> None:
        """A message of one item."""
        touched = Touched(
            keys([item]),
            {0: item} if events else {},
            np.full((1, 2 * D + 4), by, np.float32),
            np.zeros(1),
            np.zeros(1),
            np.full(1, events),
            np.zeros((1, 4)),
            np.zeros(1, np.int32),
        )
        told = [unpack_deltas(pack_deltas(touched, now, [], {}, origin)[0])]
        applied = apply_deltas(told, self.catalogue, 1e9)
        self.marks.flags[applied.slots] |= SEND
        self.unsent.note(told, applied, None, now)

    def send(self, now: int, room: int = ALL) -> dict[str, int]:
        """Item → who need not read it."""
        return {
            name: changes.besides
            for changes in self.unsent.take(room, 0, now)
            for name in self.catalogue.names(changes.slots.tolist())
        }


def test_the_first_time_a_row_goes_to_all() -> None:
    owner = Owner()
    owner.change("a", 0, START)
    assert owner.send(START) == {"a": SEVERAL}
    assert owner.send(START) == {} and not owner.unsent.waiting()


def test_what_only_one_has_changed_is_not_for_it() -> None:
    owner = Owner()
    for item in "abc":
        owner.change(item, 0, START)
    owner.send(START)
    now = START + SETTLE_MS + 1
    owner.change("a", 0, now)
    owner.change("b", 1, now)
    owner.change("c", 0, now)
    owner.change("c", 1, now)
    assert owner.send(now) == {"a": 0, "b": 1, "c": SEVERAL}
    owner.change("a", -1, now + 1)
    assert owner.send(now + 1) == {"a": SEVERAL}, "an older message does not say who sent it"


def test_who_was_given_a_row_a_moment_ago_is_given_it_again() -> None:
    """Its own change was on its way to the owner, and was lost when it read the row."""
    owner = Owner()
    owner.change("a", 0, START)
    owner.send(START)
    owner.change("a", 0, START + SETTLE_MS)
    assert owner.send(START + SETTLE_MS) == {"a": SEVERAL}
    later = START + 3 * SETTLE_MS
    owner.change("a", 0, later)
    assert owner.send(later) == {"a": 0}
    owner.change("a", 0, later + 1)
    assert owner.send(later + 1) == {"a": 0}, "it was not given that one"
    owner.change("a", 1, later + 2)
    assert owner.send(later + 2) == {"a": SEVERAL}, "this one was"


def test_a_row_that_keeps_changing_goes_to_all_once_a_minute() -> None:
    owner = Owner()
    sent = []
    for second in range(130):
        now = START + second * 2_000
        owner.change("a", 0, now, (-1.0) ** second)
        sent.append(owner.send(now)["a"])
    every = WHOLE_MS // 2_000
    assert [n for n, besides in enumerate(sent) if besides == SEVERAL] == [
        0, every, 2 * every, 3 * every, 4 * every,
    ]  # fmt: skip


def test_what_hardly_matters_waits() -> None:
    owner = Owner()
    owner.change("a", 0, START)
    owner.send(START)
    owner.change("a", 1, START, 0.01)
    assert owner.send(START + LATE_MS - 1) == {}
    assert owner.unsent.waiting()
    owner.change("a", 1, START + 10, 0.2)
    assert owner.send(START + 10) == {"a": SEVERAL}, "together they matter"
    owner.change("a", 1, START + 20, 0.01)
    assert owner.send(START + 20 + LATE_MS) != {}


def test_an_event_of_a_new_item_matters() -> None:
    owner = Owner()
    owner.change("new", 0, START, 1e-6, events=1)
    assert owner.send(START) == {"new": SEVERAL}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.integers(0, 3_000))))
def test_in_the_end_everybody_has_everything(changes: list[tuple[str, int, int]]) -> None:
    """Nobody lacks a change of another: a row that was kept from it had none."""
    owner = Owner()
    now = START
    has = {(reader, item): 0 for reader in range(3) for item in "abc"}  # changes of others
    made = dict(has)

    def deliver(found: dict[str, int]) -> None:
        for item, besides in found.items():
            for reader in range(3):
                if reader != besides:
                    has[reader, item] = made[reader, item]

    for item, origin, pause in changes:
        now += pause
        owner.change(item, origin, now)
        for reader in range(3):
            made[reader, item] += reader != origin
        deliver(owner.send(now))
    deliver(owner.send(now + LATE_MS))
    assert not owner.unsent.waiting()
    assert has == made


def test_a_user_learner_with_a_small_share_reads_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An entry for each of many would cost more than it saves."""
    monkeypatch.setattr(unsent, "_FEW", 2)
    owner = Owner()
    for item in "abc":
        owner.change(item, 0, START)
    owner.send(START)
    now = START + SETTLE_MS + 1
    for item, origin in zip("abc", (0, 0, 1), strict=True):
        owner.change(item, origin, now)
    assert owner.send(now) == {"a": 0, "b": 0, "c": SEVERAL}
    # It was given the row, so it has lost what it had under way.
    for item in "abc":
        owner.change(item, 1, now + 1)
    assert owner.send(now + 1)["c"] == SEVERAL


def test_what_does_not_fit_waits_for_its_turn() -> None:
    owner = Owner()
    for n, item in enumerate("cab"):
        owner.change(item, 0, START + n)
    assert [list(owner.send(START + 9, 1)) for _ in range(4)] == [["c"], ["a"], ["b"], []]
