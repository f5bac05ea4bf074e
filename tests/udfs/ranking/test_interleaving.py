"""Team draft against plain lists."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.experiments.teams import FIRST, NEITHER, SECOND
from udfs.models.ranked import Told
from udfs.ranking.interleaving import coins_of, interleave, teams_of

M = 7
orders = st.lists(st.integers(0, 9), max_size=M, unique=True)


def told(*rows: list[int]) -> Told:
    """Candidates whose scores, models and reasons say which items they are of."""
    items = np.full((len(rows), M), -1, np.int32)
    for row, own in enumerate(rows):
        items[row, : len(own)] = own
    scores = np.linspace(1.0, 0.1, M, dtype=np.float32) * np.ones((len(rows), 1), np.float32)
    reasons = np.stack([items + 100, items + 200], axis=2).astype(np.int32)
    return Told(items, scores, items.astype(np.int8), reasons, np.full((len(rows), 1), 3, np.int32))


def plain(first: list[int], second: list[int], turns: list[int]) -> list[tuple[int, int]]:
    """The items, and who put each there."""
    both, found, rounds = (first, second), list[tuple[int, int]](), iter(turns)

    def left(one: int) -> list[int]:
        taken = {item for item, _ in found}
        return [item for item in both[one] if item not in taken]

    while left(0) or left(1):
        a, b = left(0), left(1)
        if not a or not b or a[0] == b[0]:
            found.append(((a or b)[0], NEITHER))
            continue
        turn = next(rounds)
        for one in (turn, 1 - turn):
            if left(one):
                found.append((left(one)[0], (FIRST, SECOND)[one]))
    return found[:M]


def bits(coins: NDArray[np.uint8]) -> list[int]:
    return [int(bit) for bit in np.unpackbits(coins, bitorder="little")]


@given(st.lists(st.tuples(orders, orders), min_size=1, max_size=3), st.integers(0, 99))
@example([([1, 2, 3], [1, 3, 2])], 0)
def test_the_draft_is_the_plain_one(pairs: list[tuple[list[int], list[int]]], number: int) -> None:
    first, second = (told(*rows) for rows in zip(*pairs, strict=True))
    coins = coins_of([f"u{k}" for k in range(len(pairs))], [number] * len(pairs), "new-order")
    made, teams = interleave(first, second, coins)
    for row, (one, other) in enumerate(pairs):
        wanted = plain(one, other, bits(coins[row]))
        n = len(wanted)
        assert [*zip(made.items[row].tolist(), teams[row].tolist(), strict=True)][:n] == wanted
        assert (made.items[row, n:] == -1).all() and not teams[row, n:].any()
        assert made.models[row, :n].tolist() == made.items[row, :n].tolist()
        assert made.reasons[row, :n, 1].tolist() == (made.items[row, :n] + 200).tolist()
        assert (np.diff(made.scores[row, :n]) <= 0).all()
        counts = [int((teams[row] == team).sum()) for team in (FIRST, SECOND)]
        assert abs(counts[0] - counts[1]) <= 1
    assert made.consumed is first.consumed


def test_two_orders_that_are_the_same_say_nothing() -> None:
    made, teams = interleave(told([4, 2, 1]), told([4, 2, 1]), coins_of(["ann"], [3], "e"))
    assert made.items[0, :3].tolist() == [4, 2, 1] and not teams.any()


def test_each_is_first_as_often_and_a_user_sees_the_same_again() -> None:
    n = 4000
    users = [f"u{k}" for k in range(n)]
    coins = coins_of(users, [7] * n, "e")
    first, second = told(*[[1, 2]] * n), told(*[[3, 4]] * n)
    _, teams = interleave(first, second, coins)
    assert abs(int((teams[:, 0] == FIRST).sum()) - n / 2) < 4 * np.sqrt(n / 4)
    assert (coins_of(users, [7] * n, "e") == coins).all()
    assert (coins_of(users, [8] * n, "e") != coins).any()
    assert (coins_of(users, [7] * n, "f") != coins).any()


@given(orders, orders, st.lists(st.integers(0, 12), max_size=5, unique=True))
def test_items_that_steps_add_are_of_neither(
    one: list[int], other: list[int], served: list[int]
) -> None:
    made, teams = interleave(told(one), told(other), coins_of(["ann"], [1], "e"))
    by_item = dict(zip(made.items[0].tolist(), teams[0].tolist(), strict=True))
    items = np.array([[*served, -1]], np.int32)
    found = teams_of(items, made.items, teams)[0].tolist()
    assert found == [by_item.get(item, NEITHER) if item >= 0 else NEITHER for item in items[0]]
