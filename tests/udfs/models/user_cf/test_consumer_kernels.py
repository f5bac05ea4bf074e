"""What similar users chose, against the equations in plain Python."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.memory.history_kernels import PAGE, History
from udfs.memory.pages import Pages
from udfs.models.evidence import LINE
from udfs.models.options import UserCF
from udfs.models.user_cf.consumer_kernels import Noted, gather, note
from udfs.models.user_cf.consumers import BEFORE, REACH, RECENT, Consumers

ITEMS, USERS = 80, 6
SHRINK, ACTIVITY_SHRINK, POWER = 4.0, 10.0, 0.5


class Case(NamedTuple):
    """The histories of users, oldest first; what nobody likes; who is another user by now; and the
    numbers of a query."""

    histories: list[list[int]]
    disliked: set[int]
    gone: int
    remembered: int
    items: int
    depth: int
    around: list[float]


items = st.lists(st.integers(0, ITEMS - 1), unique=True, max_size=70)
cases = st.builds(
    Case,
    st.lists(items, min_size=2, max_size=USERS),
    st.sets(st.integers(0, ITEMS - 1), max_size=9),
    st.integers(1, USERS),
    st.integers(1, 4),
    st.sampled_from([0, 30, 10_000]),
    st.sampled_from([1, 5, 40]),
    st.sampled_from([1, 2, 40]).flatmap(
        lambda reach: st.lists(
            st.sampled_from([0.25, 0.5, 1.0, 2.0]), min_size=2 * reach + 1, max_size=2 * reach + 1
        )
    ),
)


def history_of(case: Case) -> History:
    pages, users = Pages(), len(case.histories)
    tail, fill = np.full(users, -1, np.int32), np.zeros(users, np.int32)
    for user, items in enumerate(case.histories):
        for begin in range(0, len(items), PAGE):
            page = items[begin : begin + PAGE]
            bits = sum(1 << k for k, item in enumerate(page) if item in case.disliked)
            tail[user] = pages.push(int(tail[user]), np.array(page, np.int32), bits)
            fill[user] = len(page)
    events = np.array([2 * len(items) for items in case.histories])
    serials = np.arange(1, users + 1)
    return History(tail, fill, pages.older, pages.pages, pages.disliked, events, serials)


def noted_of(case: Case, history: History) -> Noted:
    table, users = Consumers(UserCF(consumers=case.remembered)), len(case.histories)
    table.reserve(ITEMS)
    for user, items in enumerate(case.histories):
        liked = np.array([item for item in items if item not in case.disliked], np.int32)
        who = np.full(len(liked), user, np.int32)
        note(who, liked, history.serials, table.who, table.serial, table.counts)
    return Noted(
        table.who,
        table.serial,
        table.counts,
        table.position,
        SHRINK,
        ACTIVITY_SHRINK,
        POWER,
        100,
        case.items,
        case.depth,
        np.array(case.around, np.float32),
        np.zeros(users, np.float32),
        np.zeros(users + 1, np.int32),
        np.zeros(users, np.float32),
    )


def plain(case: Case) -> NDArray[np.float64]:
    """The evidence for user 0."""
    out, reach = np.zeros(ITEMS), len(case.around) // 2
    last = case.histories[0][::-1][:RECENT]
    own = [item for item in last if item not in case.disliked]
    takers = {h: [user for user, items in enumerate(case.histories) if h in items] for h in own}
    alike: dict[int, float] = {}
    by: dict[int, int] = {}
    for h in own:
        for other in takers[h][-case.remembered :]:
            if other not in (0, case.gone):
                part = 1 / (last.index(h) + 1) * (1 / np.sqrt(len(takers[h]) + SHRINK))
                alike[other] = float(np.float32(alike.get(other, 0.0)) + np.float32(part))
                by.setdefault(other, h)
    left = case.items
    for other in sorted(alike, key=lambda user: (-alike[user], last.index(by[user]), user)):
        theirs, similar = case.histories[other][::-1], alike[other]
        anchor, looked = theirs.index(by[other]), (len(theirs) - 1) % PAGE + 1
        while looked < case.depth:
            looked += PAGE
        if anchor >= looked:
            continue
        amount = similar / (2 * len(theirs) + ACTIVITY_SHRINK) ** POWER
        for k, item in enumerate(theirs):
            if abs(k - anchor) <= reach:
                left -= 1
                if item not in case.disliked:
                    out[item] += amount * case.around[reach + k - anchor]
        if left <= 0:
            break
    return out


@given(cases)
def test_evidence_follows_the_equations(case: Case) -> None:
    history = history_of(case)
    noted = noted_of(case, history)
    if case.gone < len(case.histories):
        history.serials[case.gone] = 99
    room = len(noted.counts)
    evidence, touched = np.zeros(room, np.float32), np.zeros(room // LINE + 1, np.uint8)
    gather(noted, 0, history, evidence, touched)
    np.testing.assert_allclose(evidence[:ITEMS], plain(case), rtol=1e-5)
    assert not evidence[ITEMS:].any()
    assert not noted.weight.any()
    assert touched[np.flatnonzero(evidence) // LINE].all()


def test_what_was_taken_soon_after_the_anchor_counts_most() -> None:
    around = Consumers().around
    assert around[REACH] == 1
    assert around[REACH - 1] == pytest.approx(1 / 2)
    assert around[REACH - 4] == pytest.approx(1 / 5)
    assert around[REACH + 4] == pytest.approx(BEFORE / 5)
    assert len(around) == 2 * REACH + 1


def test_who_took_an_item_last_is_not_recorded_again() -> None:
    table = Consumers(UserCF(consumers=3))
    table.reserve(4)
    users = np.array([1, 1, 2, 1, 1, 1], np.int32)
    items = np.array([0, 0, 0, 0, 3, 3], np.int32)
    serials = np.array([7, 8, 9])
    note(users, items, serials, table.who, table.serial, table.counts)
    assert table.counts[:4].tolist() == [3, 0, 0, 1]
    assert table.who[0, :3].tolist() == [1, 2, 1]
    note(users[:1], items[:1], np.array([7, 99, 9]), table.who, table.serial, table.counts)
    assert table.counts[0] == 4, "the slot belongs to another user by now"
