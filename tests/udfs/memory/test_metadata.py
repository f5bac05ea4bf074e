"""What may be shown, when that changes by itself, and the numbers of groups."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory.metadata import GROUPS, NEVER, Metadata

moments = st.integers(0, 6)


def told(*rows: tuple[bool, int, int]) -> Metadata:
    found = Metadata()
    allowed, published, expires = zip(*rows, strict=True)
    slots = np.arange(len(rows), dtype=np.int32)
    found.put(slots, allowed=allowed, published=published, expires=expires)
    return found


@given(st.lists(st.tuples(st.booleans(), moments, moments), min_size=1, max_size=5), moments)
def test_items_are_shown_in_their_time(rows: list[tuple[bool, int, int]], now: int) -> None:
    metadata, n = told(*rows), len(rows)
    shown = [ok and begin <= now < end for ok, begin, end in rows]
    assert metadata.may_be_shown(np.arange(n), now).tolist() == shown
    times = [at for ok, begin, end in rows if ok for at in (begin, end) if at > now]
    assert metadata.look(n, now).tolist() == list(range(n))
    assert metadata.changes_at == min(times, default=NEVER)


def test_what_is_not_described_may_be_shown() -> None:
    assert Metadata().may_be_shown(np.arange(3), 5).all()


def test_only_what_is_alive_is_shown_and_changes_are_told() -> None:
    metadata = told((True, 0, 9), (True, 0, 9), (False, 0, 9))
    alive, shown = np.array([True, False, True]), np.array([False, False, True])
    changed = metadata.show(np.arange(3), 5, alive, shown)
    assert (changed.tolist(), shown.tolist()) == ([0, 2], [True, False, False])


def test_groups_are_numbered_by_name() -> None:
    metadata = Metadata()
    assert metadata.group(["tea", "cups", "red", "more"], "acme") == [0, 1, 2, 3]
    assert metadata.group(["cups"], "") == [1, -1, -1, -1]
    assert metadata.group([], "tea") == [-1] * (GROUPS - 1) + [4]
    assert metadata.labels == [
        "category:tea",
        "category:cups",
        "category:red",
        "provider:acme",
        "provider:tea",
    ]
