from __future__ import annotations

from math import log, log1p
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from udfs.memory.history_kernels import PAGE, History
from udfs.memory.metadata import GROUPS
from udfs.ranking.steps.calibration_kernels import OF_ITEM, PRIOR, calibrate

SIZE, N = 24, 4
PLACES = np.full(6, -1, np.int32)


class Case(NamedTuple):
    """Categories of items; what a user has taken, −1 − j: not liked; candidates with values."""

    groups: list[list[int]]
    taken: list[int]
    items: list[int]
    values: list[float]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    group = st.lists(st.integers(-1, 5), min_size=OF_ITEM, max_size=OF_ITEM)
    order = draw(st.permutations(range(SIZE)))
    m, h = draw(st.integers(1, 10)), draw(st.integers(0, 8))
    values = [-draw(st.integers(0, 4000)) / 1000 for _ in range(m)]
    taken = [j if draw(st.integers(0, 4)) else -1 - j for j in order[m : m + h]]
    groups = draw(st.lists(group, min_size=SIZE, max_size=SIZE))
    return Case(groups, taken, order[:m], sorted(values, reverse=True))


def run(case: Case, strength: float, user: int = 0) -> list[float]:
    items, values = np.array([case.items], np.int32), np.array([case.values], np.float32)
    calibrate(
        np.array([user], np.int32), items, values, history(case), groups(case), PLACES, N, strength
    )
    assert (PLACES == -1).all(), "as it was"
    return list(map(float, values[0]))


def groups(case: Case) -> NDArray[np.int32]:
    found = np.full((SIZE, GROUPS), -1, np.int32)
    found[:, :OF_ITEM] = case.groups
    return found


def history(case: Case) -> History:
    """The user's history, the newest item last."""
    pages, disliked = np.full((1, PAGE), -1, np.int32), 0
    for k, item in enumerate(case.taken):
        pages[0, k] = item if item >= 0 else -1 - item
        disliked |= (item < 0) << k
    none, one = np.full(1, -1, np.int32), np.zeros(1, np.int64)
    fill = np.array([len(case.taken)], np.int32)
    return History(
        np.zeros(1, np.int32), fill, none, pages, np.array([disliked], np.uint32), one, one
    )


def kinds(case: Case, item: int) -> set[int]:
    return {group for group in case.groups[item] if group >= 0}


def mix(case: Case) -> dict[int, float]:
    """The user's mix."""
    found = dict[int, float]()
    for item in case.taken:
        for kind in kinds(case, item) if item >= 0 else ():
            found[kind] = found.get(kind, 0.0) + 1 / len(kinds(case, item))
    return {kind: part / sum(found.values()) for kind, part in found.items()}


def plain(case: Case, strength: float) -> tuple[list[float], bool]:
    """The same, plain; and whether two choices were nearly as good."""
    p, made, chosen, close = mix(case), list(case.values), list[int](), False

    def worth(k: int) -> float:
        own = kinds(case, case.items[k])
        more = 0.0
        for kind in own & p.keys():
            parts = (kinds(case, case.items[c]) for c in chosen)
            q = PRIOR * p[kind] + sum(1 / len(part) for part in parts if kind in part)
            more += p[kind] * log1p(1 / len(own) / q)
        return case.values[k] + strength * more

    for _ in range(min(N, len(case.items))):
        found = {k: worth(k) for k in range(len(case.items)) if k not in chosen}
        best = max(found, key=lambda k: found[k])
        close |= any(abs(found[best] - w) < 1e-4 for k, w in found.items() if k != best)
        made[best] = found[best]
        chosen.append(best)
    for k in {*range(len(case.items))} - {*chosen}:
        made[k] = worth(k)
    return made, close


@given(cases(), st.sampled_from([0.5, 2.0, 10.0]))
def test_the_kernel_does_what_its_plain_twin_does(case: Case, strength: float) -> None:
    expected, close = plain(case, strength)
    if not close:  # where two are as good, either is right
        np.testing.assert_allclose(run(case, strength), expected, atol=1e-4 * (1 + strength))


@given(cases())
def test_values_only_rise_and_without_a_mix_they_stay(case: Case) -> None:
    made = run(case, 3.0)
    assert all(then >= first - 1e-5 for first, then in zip(case.values, made, strict=True))
    before = list(map(float, np.array(case.values, np.float32)))
    assert run(case, 3.0, user=-1) == before
    assert run(case._replace(taken=[]), 3.0) == before
    assert run(case._replace(groups=[[-1] * OF_ITEM] * SIZE), 3.0) == before


@given(cases())
def test_a_list_comes_nearer_to_the_mix(case: Case) -> None:
    """Among all lists of N, the divergence of the strongly calibrated one is near the least."""
    p = mix(case)
    if not p:
        return

    def filled(items: list[int]) -> float:
        """The part of the divergence that depends on the list, with its sign changed."""
        total = 0.0
        for kind, share in p.items():
            parts = (kinds(case, j) for j in items)
            q = PRIOR * share + sum(1 / len(own) for own in parts if kind in own)
            total += share * log(q)
        return total

    made = run(case, 100.0)
    order = sorted(range(len(made)), key=lambda k: -made[k])[:N]
    plainly = filled(case.items[:N])
    none = filled([])
    # Greedy search of a submodular function: at least 1 − 1/e of the best there is.
    assert filled([case.items[k] for k in order]) - none >= 0.63 * (plainly - none) - 0.06


def test_what_the_user_takes_a_third_of_has_a_third_of_the_list() -> None:
    one = [[0, -1, -1]] * 12 + [[1, -1, -1]] * 12
    case = Case(one, [0, 1, 12, 2, 3, 13], [4, 5, 6, 7, 14, 15], [0, -0.1, -0.2, -0.3, -1.0, -1.1])
    made = run(case, 20.0)
    first = sorted(range(6), key=lambda k: -made[k])[:3]
    assert sorted(case.items[k] for k in first) == [4, 5, 14]
