"""Chains of pages against lists: pushing, giving back, dropping the oldest."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory.history_kernels import PAGE
from udfs.memory.pages import Pages

steps = st.lists(st.tuples(st.sampled_from(["push", "drop", "give"]), st.integers(0, 2)))


def chain(pages: Pages, tail: int) -> list[int]:
    """The page numbers of a chain, the newest first."""
    found = []
    while tail >= 0:
        found.append(tail)
        tail = int(pages.older[tail])
    return found


@given(steps)
def test_chains_are_lists(sequence: list[tuple[str, int]]) -> None:
    pages, tails = Pages(), np.full(3, -1, np.int32)
    plain: list[list[list[int]]] = [[], [], []]
    for number, (step, user) in enumerate(sequence * 4):
        if step == "push":
            items = np.arange(number, number + PAGE, dtype=np.int32)
            tails[user] = pages.push(int(tails[user]), items, number)
            plain[user].insert(0, items.tolist())
        elif step == "drop" and len(plain[user]) > 1:
            pages.drop_oldest(int(tails[user]))
            plain[user].pop()
        elif step == "give":
            pages.give_back(int(tails[user]))
            tails[user], plain[user] = -1, []
    chains = [chain(pages, int(tail)) for tail in tails]
    assert [[pages.pages[page].tolist() for page in found] for found in chains] == plain
    used = [page for found in chains for page in found]
    free = pages.free[: pages.free_count].tolist()
    assert sorted(used + free) == list(range(pages.room)), "each page is in use or free, once"
    for found in chains:
        assert [pages.below(page) for page in found] == list(range(len(found)))[::-1]
    wanted = sorted(item for lists in plain for items in lists for item in items)
    assert sorted(pages.items(tails, np.full(3, PAGE, np.int32)).tolist()) == wanted


def test_pages_double_and_keep_what_they_hold() -> None:
    pages = Pages()
    tail = -1
    for k in range(100):
        tail = pages.push(tail, np.full(3, k, np.int32), k)
    assert (pages.room, pages.free_count) == (128, 28)
    found = chain(pages, tail)
    assert pages.disliked[found].tolist() == list(range(100))[::-1]
    pages.make_free(200)
    assert (pages.room, pages.free_count) == (512, 412)
    assert chain(pages, tail) == found


def test_items_are_those_below_the_fill() -> None:
    pages: Any = Pages()
    items = np.array([7, 8, 9], np.int32)
    tails = np.array([pages.push(-1, items, 0), -1], np.int32)
    assert pages.items(tails, np.array([2, 5], np.int32)).tolist() == [7, 8]
