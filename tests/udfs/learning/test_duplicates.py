"""Events that arrive twice."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.fakes import DictState
from udfs.learning.duplicates import Duplicates

LIMIT = 1_000_000


def kept(duplicates: Duplicates, ids: Sequence[str], now: int) -> list[bool]:
    keep = duplicates.keep(ids, now)
    return [True] * len(ids) if keep is None else keep.tolist()


def test_within_a_batch_and_across_batches() -> None:
    duplicates = Duplicates(DictState(), 1000, LIMIT)
    assert kept(duplicates, ["a", "b", "a"], 0) == [True, True, False]
    assert kept(duplicates, ["b", "c"], 10) == [False, True]
    assert len(duplicates) == 3


def test_an_event_without_id_is_always_new_and_costs_nothing() -> None:
    rows = DictState()
    duplicates = Duplicates(rows, 1000, LIMIT)
    assert duplicates.keep(["", ""], 0) is None
    assert rows.is_empty()
    assert kept(duplicates, ["", "a", "", "a"], 0) == [True, True, True, False]


def test_ids_that_name_a_forgotten_user_become_hashes_and_still_count_once() -> None:
    rows = DictState()
    duplicates = Duplicates(rows, 1000, LIMIT)
    ids = ["ann-1", "cart:ann", "anna-2", "x"]
    assert kept(duplicates, ids, 0) == [True] * 4
    duplicates.forget({"ann", "b.c"})
    assert b"ann-1" not in repr(rows.data).encode()
    assert b"cart:ann" not in repr(rows.data).encode()
    assert b"anna-2" in repr(rows.data).encode()
    for again in (duplicates, Duplicates(rows, 1000, LIMIT)):
        assert kept(again, ["new", *ids], 10) == [True, *[False] * 4]
        assert len(again) == 5


@given(st.lists(st.lists(st.sampled_from(["", "a", "b", "ü\n", "a "]), max_size=6), max_size=12))
def test_each_id_is_kept_once_whatever_is_restarted(batches: list[list[str]]) -> None:
    rows, seen = DictState(), set[str]()
    for n, batch in enumerate(batches):
        # A new object each time: all it knows is in its rows.
        found = kept(Duplicates(rows, 10_000, LIMIT), batch, n * 50)
        for id_, keep in zip(batch, found, strict=True):
            assert keep == (not id_ or id_ not in seen)
            seen.add(id_)


def test_an_id_is_remembered_for_the_window_and_then_forgotten() -> None:
    rows = DictState()
    duplicates = Duplicates(rows, 800, LIMIT)
    duplicates.keep(["a"], 0)
    assert kept(duplicates, ["a"], 800) == [False]
    assert kept(duplicates, ["a"], 901) == [True], "an eighth after the window at the latest"
    for now in range(1000, 20_000, 100):
        duplicates.keep([str(now)], now)
    assert len(duplicates) <= 11
    assert len(rows.data) <= 11


def test_the_limit_forgets_the_oldest_first() -> None:
    rows = DictState()
    duplicates = Duplicates(rows, 10**9, 80)
    for n in range(1000):
        assert kept(duplicates, [f"id {n}"], n) == [True]
        assert len(duplicates) <= 81
    assert kept(duplicates, ["id 999", "id 930"], 1000) == [False, False]
    assert kept(duplicates, ["id 0"], 1000) == [True]
    again = Duplicates(rows.copy(), 10**9, 80)
    assert len(again) == len(duplicates)
    assert kept(again, ["id 999"], 1001) == [False]


def test_a_batch_larger_than_the_limit_is_still_compared() -> None:
    duplicates = Duplicates(DictState(), 1000, 10)
    ids = [str(n) for n in range(100)]
    assert duplicates.keep(ids, 0) is None
    assert kept(duplicates, ids, 1) == [False] * 100
    duplicates.keep(["next"], 2)
    duplicates.keep(["last"], 3)
    assert len(duplicates) <= 10 + 2
