from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from udfs.memory.history_kernels import PAGE, History
from udfs.ranking.steps.rule_kernels import Facts, Listed, Out, Room, apply_rules

SIZE, N = 24, 5


class Case(NamedTuple):
    """One list: candidates with scores, spare items by rule, what the user has consumed, items."""

    candidates: list[int]
    scores: list[float]
    consumed: list[int]
    boost: list[float]
    groups: list[int]
    bits: list[int]
    hidden: list[int]
    caps: list[tuple[int, int, int]]
    quotas: list[tuple[int, int]]
    pins: list[tuple[int, int]]
    spare: list[list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    items = st.integers(0, SIZE - 1)
    some = draw(st.lists(items, unique=True, max_size=12))
    scores = sorted(draw(st.lists(st.integers(0, 8), min_size=len(some), max_size=len(some))))
    bit = st.integers(0, 3)
    places = draw(st.lists(st.integers(0, N), unique=True, max_size=2))
    pins = [(draw(bit), place) for place in sorted(places)]
    quotas = draw(st.lists(st.tuples(bit, st.integers(1, N)), max_size=2))
    bits = draw(st.lists(st.integers(0, 15), min_size=SIZE, max_size=SIZE))
    order = draw(st.permutations(range(SIZE)))
    return Case(
        some,
        [score / 8 for score in reversed(scores)],
        [*set(draw(st.lists(items, max_size=4))) - set(some)],
        draw(st.lists(st.sampled_from([0.0, 0.0, 1.0, -1.0]), min_size=SIZE, max_size=SIZE)),
        draw(st.lists(st.integers(-1, 2), min_size=SIZE, max_size=SIZE)),
        bits,
        draw(st.lists(items, max_size=3)),
        draw(st.lists(st.tuples(bit, st.integers(1, 3), st.sampled_from([-1, 0])), max_size=2)),
        quotas,
        pins,
        [[j for j in order if bits[j] >> b & 1][:3] for b, _ in [*pins, *quotas]],
    )


def run(case: Case, exclude: bool = True) -> tuple[list[int], list[float], list[int]]:
    """What the kernel makes of a case: items, scores, columns."""
    m = max(len(case.candidates), 1) + 1
    items, scores = np.full((1, m), -1, np.int32), np.full((1, m), -np.inf, np.float32)
    items[0, : len(case.candidates)] = case.candidates
    scores[0, : len(case.candidates)] = case.scores
    pages = np.full((1, PAGE), -1, np.int32)
    pages[0, : len(case.consumed)] = case.consumed
    one = np.zeros(1, np.int32)
    fill = np.array([len(case.consumed)], np.int32)
    nobody = np.full(1, -1, np.int32)
    history = History(
        one, fill, nobody, pages, np.zeros(1, np.uint32), np.zeros(1, np.int64), np.zeros(1)
    )
    spare = np.full((len(case.spare), 3), -1, np.int32)
    for row, some in enumerate(case.spare):
        spare[row, : len(some)] = some
    shown = np.ones(SIZE, np.bool_)
    shown[case.hidden] = False
    facts = Facts(
        np.array(case.boost, np.float32),
        np.array(case.groups, np.int32).reshape(-1, 1),
        np.array(case.bits, np.uint32),
        shown,
    )
    listed = Listed(
        np.array(case.caps, np.int64).reshape(-1, 3),
        np.array(case.quotas, np.int64).reshape(-1, 2),
        np.array(case.pins, np.int64).reshape(-1, 2),
        spare,
    )
    size = m + spare.size
    room = Room(
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(N, np.int32),
        np.zeros(N, np.int32),
    )
    columns = np.empty((1, N), np.int32)
    out = Out(np.empty((1, N), np.int32), np.empty((1, N), np.float32), columns)
    apply_rules(items, scores, one, history, exclude, facts, listed, room, out)
    count = int((out.items[0] >= 0).sum())
    assert (out.items[0, count:] == -1).all() and (columns[0, count:] == -1).all()
    found = out.items[0, :count].tolist(), out.scores[0, :count].tolist()
    return *found, columns[0, :count].tolist()


class Plain:
    """The same, plain."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.weighed = {
            j: s * np.exp(case.boost[j]) for j, s in zip(case.candidates, case.scores, strict=True)
        }
        self.order = sorted(case.candidates, key=lambda j: -np.float32(self.weighed[j]))
        self.chosen: list[int] = []

    def has(self, j: int, bit: int) -> bool:
        return bool(self.case.bits[j] >> bit & 1)

    def count(self, bit: int, of: list[int]) -> int:
        return sum(self.has(j, bit) for j in of)

    def allowed(self, j: int, chosen: list[int]) -> bool:
        for bit, most, column in self.case.caps:
            if not self.has(j, bit):
                continue
            group = self.case.groups[j]
            if column >= 0 and group < 0:
                continue
            same = [k for k in chosen if column < 0 or self.case.groups[k] == group]
            if self.count(bit, same) >= most:
                return False
        return True

    def more(self, row: int) -> bool:
        case = self.case
        for j in case.spare[row]:
            if j not in self.order and j not in case.hidden and j not in case.consumed:
                self.order.append(j)
                return True
        return False

    def lists(self) -> list[int]:
        case = self.case
        if not self.order:
            return []
        candidates, pinned = len(self.order), list[tuple[int, int]]()
        for row, (bit, place) in enumerate(case.pins):
            if place >= N:
                break
            for attempt in range(2):
                meant = [j for j in self.order if self.has(j, bit) and j not in self.chosen]
                if meant or attempt or not self.more(row):
                    break
            if meant:
                self.chosen.append(meant[0])
                pinned.append((place, meant[0]))
        fixed = len(self.chosen)
        for j in self.order[:candidates]:
            if len(self.chosen) < N and j not in self.chosen and self.allowed(j, self.chosen):
                self.chosen.append(j)
        for row, (bit, least) in enumerate(case.quotas):
            while self.count(bit, self.chosen) < least:
                if not self.swap(bit, fixed) and not self.more(len(case.pins) + row):
                    break
        rest = [j for j in self.order if j in self.chosen[fixed:]]
        made: list[int] = []
        while pinned or rest:
            if pinned and (pinned[0][0] <= len(made) or not rest):
                made.append(pinned.pop(0)[1])
            else:
                made.append(rest.pop(0))
        return made

    def swap(self, bit: int, fixed: int) -> bool:
        left = list(self.chosen)
        if len(left) == N:
            free = [
                at
                for at in range(fixed, N)
                if all(
                    not self.has(left[at], b) or self.count(b, left) > least
                    for b, least in self.case.quotas
                )
            ]
            if not free:
                return False
            del left[free[-1]]
        for j in self.order:
            if self.has(j, bit) and j not in left and self.allowed(j, left):
                self.chosen = [*left, j]
                return True
        return False


@given(cases())
@settings(max_examples=500)
def test_the_kernel_does_what_its_plain_twin_does(case: Case) -> None:
    items, scores, columns = run(case)
    plain = Plain(case)
    assert items == plain.lists()
    assert [case.candidates[k] if k >= 0 else -1 for k in columns] == [
        j if j in case.candidates else -1 for j in items
    ]
    largest = max([1.0, *(plain.weighed.get(j, 0.0) for j in items)])
    expected = [plain.weighed.get(j, 0.0) / largest for j in items]
    np.testing.assert_allclose(scores, expected, rtol=1e-5)


@given(cases())
def test_rules_hold_for_every_list(case: Case) -> None:
    items, _, columns = run(case)
    assert len(set(items)) == len(items)
    assert not [j for j, k in zip(items, columns, strict=True) if k < 0 and j in case.hidden]
    assert not {*items} & {*case.consumed}
    places = [place for _, place in case.pins if place < N]
    free = [j for at, j in enumerate(items) if at not in places]
    for bit, most, column in case.caps:
        meant = [j for j in free if case.bits[j] >> bit & 1]
        groups = [case.groups[j] if column >= 0 else 0 for j in meant]
        for group in {*groups} - {-1}:
            if len(places) == 0:
                assert groups.count(group) <= most


def _case(**given: Any) -> Case:
    nothing = Case([], [], [], [0.0] * SIZE, [-1] * SIZE, [0] * SIZE, [], [], [], [], [])
    return nothing._replace(**given)


ABOVE = {"candidates": [0, 1, 2, 3, 4, 5, 6], "scores": [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]}


def test_without_rules_the_first_are_the_list() -> None:
    items, scores, columns = run(_case(**ABOVE))
    assert (items, columns) == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    np.testing.assert_allclose(scores, [0.9, 0.8, 0.7, 0.6, 0.5], rtol=1e-6)


def test_a_boost_multiplies_the_chance() -> None:
    boost = [0.0] * SIZE
    boost[6] = float(np.log(2.5))
    items, scores, _ = run(_case(**ABOVE, boost=boost))
    assert items == [0, 1, 6, 2, 3]
    np.testing.assert_allclose(scores[2], 0.75, rtol=1e-6)


def test_at_most_two_of_a_brand_and_the_list_is_still_full() -> None:
    groups, bits = [0, 0, 0, 0, 1, 1, -1] + [-1] * 17, [1] * SIZE
    items, _, _ = run(_case(**ABOVE, groups=groups, bits=bits, caps=[(0, 2, 0)]))
    assert items == [0, 1, 4, 5, 6]


def test_a_pinned_item_comes_from_elsewhere_if_no_candidate_is_meant() -> None:
    bits = [0] * SIZE
    bits[9] = bits[10] = 1
    pinned = _case(**ABOVE, bits=bits, pins=[(0, 1)], spare=[[10, 9]])
    assert run(pinned)[0] == [0, 10, 1, 2, 3]
    assert run(pinned)[2] == [0, -1, 1, 2, 3]
    assert run(pinned._replace(consumed=[10]))[0] == [0, 9, 1, 2, 3]
    assert run(pinned._replace(consumed=[10]), exclude=False)[0] == [0, 10, 1, 2, 3]
    assert run(pinned._replace(hidden=[9, 10]))[0] == [0, 1, 2, 3, 4]
    assert run(pinned._replace(candidates=[0], scores=[1.0], pins=[(0, 4)]))[0] == [0, 10]


def test_a_quota_takes_the_last_places() -> None:
    bits = [0, 0, 0, 1, 0, 1, 1] + [0] * 17
    assert run(_case(**ABOVE, bits=bits, quotas=[(0, 2)], spare=[[]]))[0] == [0, 1, 2, 3, 5]
    assert run(_case(**ABOVE, bits=bits, quotas=[(0, 9)], spare=[[]]))[0] == [0, 1, 3, 5, 6]
