from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.ranking.steps.diversity_kernels import LEAST, diversify

WIDTH, N = 64, 4


def vectors(seed: int, size: int) -> NDArray[np.int8]:
    """Unit vectors times 127, some of them alike, and one of zeros."""
    random = np.random.default_rng(seed)
    found = (
        random.normal(size=(size, WIDTH))
        + 2 * random.normal(size=(3, WIDTH))[random.integers(0, 3, size)]
    )
    found *= 127 / np.linalg.norm(found, axis=1, keepdims=True)
    packed: NDArray[np.int8] = np.rint(found).astype(np.int8)
    packed[0] = 0
    return packed


def run(
    items: list[int], values: list[float], packed: NDArray[np.int8], strength: float, n: int = N
) -> list[float]:
    rows, made = np.array([items], np.int32), np.array([values], np.float32)
    diversify(rows, made, packed, n, strength, True)
    return list(map(float, made[0]))


def plain(
    items: list[int], values: list[float], packed: NDArray[np.int8], strength: float
) -> tuple[list[float], bool]:
    """The same by determinants of all products; and whether two choices were nearly as good."""
    x = packed.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    x = np.divide(x, lengths, out=np.zeros_like(x), where=lengths > 0)
    alike = x @ x.T
    np.fill_diagonal(alike, 1.0)

    def grown(chosen: list[int], k: int) -> float:
        """What the determinant grows by; an item that is not described is like nothing."""
        of = [items[c] for c in [*chosen, k]]
        whole = np.linalg.det(alike[np.ix_(of, of)])
        before = np.linalg.det(alike[np.ix_(of[:-1], of[:-1])]) if chosen else 1.0
        return max(float(whole / before), LEAST)

    chosen, close = list[int](), False
    made = list(values)
    for _ in range(min(N, len(items))):
        worth = {
            k: values[k] + strength * np.log(grown(chosen, k))
            for k in range(len(items))
            if k not in chosen
        }
        best = max(worth, key=lambda k: worth[k])
        close |= any(abs(worth[best] - w) < 1e-3 for k, w in worth.items() if k != best)
        made[best] = worth[best]
        chosen.append(best)
    for k in {*range(len(items))} - {*chosen}:
        made[k] = values[k] + strength * np.log(grown(chosen, k))
    return made, close


@given(st.integers(0, 10**6), st.integers(1, 12), st.sampled_from([0.1, 0.5, 1.0, 3.0]))
def test_the_kernel_does_what_determinants_say(seed: int, count: int, strength: float) -> None:
    random = np.random.default_rng(seed)
    packed, items = vectors(seed, 20), random.permutation(20)[:count].tolist()
    values = np.sort(-random.exponential(2.0, count))[::-1].tolist()
    expected, close = plain(items, values, packed, strength)
    if not close:  # where two are as good, either is right
        made = run(items, values, packed, strength)
        np.testing.assert_allclose(made, expected, atol=2e-3 * (1 + strength))


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_values_only_fall_and_those_of_unlike_items_stay(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    items = random.permutation(20)[:count].tolist()
    values = np.sort(-random.exponential(2.0, count))[::-1].astype(np.float32).tolist()
    made = run(items, values, vectors(seed, 20), 1.0)
    assert all(then <= first + 1e-5 for first, then in zip(values, made, strict=True))
    assert made[0] == values[0], "the best is the first whatever the others are"
    apart = np.zeros((20, WIDTH), np.int8)
    apart[np.arange(20), np.arange(20)] = 127
    assert run(items, values, apart, 1.0) == values
    assert run(items, values, np.zeros((20, WIDTH), np.int8), 1.0) == values


def test_the_end_of_a_short_list_stays() -> None:
    made = run([3, 4, -1], [0.0, -1.0, -np.inf], vectors(1, 9), 1.0)
    assert made[0] == 0.0 and np.isfinite(made[1]) and made[2] == -np.inf


@pytest.mark.parametrize("strength", [0.5, 2.0])
def test_a_twin_comes_after_what_is_new(strength: float) -> None:
    packed = vectors(5, 9)
    packed[2] = packed[1]
    made = run([1, 2, 3], [0.0, -0.1, -0.5], packed, strength)
    assert made[0] == 0.0 > made[2] > made[1]


@given(st.integers(0, 10**6), st.integers(1, 20), st.sampled_from([0.1, 1.0, 5.0]))
def test_if_others_are_not_wanted_the_chosen_are_the_same(
    seed: int, count: int, strength: float
) -> None:
    random = np.random.default_rng(seed)
    items = random.permutation(20)[:count].astype(np.int32)[None]
    values = np.sort(-random.exponential(2.0, (1, count)))[:, ::-1].astype(np.float32)
    made = [values.copy(), values.copy()]
    for some, whole in zip(made, (True, False), strict=True):
        diversify(items, some, vectors(seed, 20), N, strength, whole)
    order = [np.argsort(-some[0], kind="stable")[:N] for some in made]
    assert order[0].tolist() == order[1].tolist()
    np.testing.assert_array_equal(made[0][0, order[0]], made[1][0, order[1]])
    rest = np.setdiff1d(np.arange(count), order[0])
    assert (made[1][0, rest] <= made[0][0, order[0]].min() + 1e-5).all()
    assert (made[1][0, rest] >= made[0][0, rest] - 1e-5).all()
