"""The kernels that learners share against the plain reference."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.reference import SplitMix64
from udfs.memory import history_kernels, popularity_kernels, random_kernels
from udfs.memory.history_kernels import PAGE, History, Spare

Slots = NDArray[np.int32]


class Pages:
    """The history arrays of `users` users, with room for `room` pages."""

    def __init__(self, users: int, room: int, repeats: bool = False) -> None:
        self.repeats = repeats
        self.tail, self.fill = np.full(users, -1, np.int32), np.zeros(users, np.int32)
        self.older = np.full(room, -1, np.int32)
        self.pages = np.full((room, PAGE), 77, np.int32)  # what lies beyond `fill` is not read
        self.disliked = np.zeros(room, np.uint32)
        self.free, self.count = np.arange(room, dtype=np.int32), room
        self.sealed: list[tuple[int, int]] = []

    def add(self, events: list[tuple[int, int, bool]]) -> None:
        spare = self.spare(len(events))
        for user, item, flag in events:
            if item >= 0:
                history_kernels.note(item, user, bool(flag), 1.0, self.view, spare)
        self.take_back(spare)

    @property
    def view(self) -> History:
        nobody = np.zeros(len(self.tail), np.int64)
        return History(*self.arrays(), self.disliked, nobody, nobody, self.repeats)

    def spare(self, events: int) -> Spare:
        return Spare(self.free, np.zeros((events, 2), np.int32), np.array([self.count, 0]))

    def take_back(self, spare: Spare) -> None:
        self.count, found = spare.counts.tolist()
        self.sealed += [(int(user), int(page)) for user, page in spare.sealed[:found]]

    def arrays(self) -> tuple[Slots, Slots, Slots, Slots]:
        return self.tail, self.fill, self.older, self.pages

    def of(self, user: int) -> list[int]:
        """A user's history, oldest first."""
        chunks, page, length = [], self.tail[user], self.fill[user]
        while page >= 0:
            chunks.append(self.pages[page, :length].tolist())
            page, length = self.older[page], PAGE
        return [item for chunk in reversed(chunks) for item in chunk]


rows = st.lists(st.tuples(st.integers(0, 2), st.integers(-1, 120), st.booleans()), max_size=300)


@given(rows, rows, st.booleans())
def test_histories_are_the_reference(
    first: list[tuple[int, int, bool]], second: list[tuple[int, int, bool]], repeats: bool
) -> None:
    pages = Pages(3, 32, repeats)
    for part in (first, second):
        if part:
            pages.add(part)
    expected = reference.remember(first + second, repeats)
    for user in range(3):
        wanted = expected.get(user, [])
        assert pages.of(user) == wanted
        full = [page for owner, page in pages.sealed if owner == user]
        assert pages.pages[full].ravel().tolist() == wanted[: len(full) * PAGE]
        assert len(full) == len(wanted) // PAGE
        for item in range(125):
            assert history_kernels.consumed(item, user, *pages.arrays()) == (item in wanted)
    used = sum(-(-len(items) // PAGE) for items in expected.values())
    assert pages.count == 32 - used


@given(st.integers(0, 2**64 - 1))
def test_the_generator_is_splitmix64(seed: int) -> None:
    state, random = np.array([seed], np.uint64), SplitMix64(seed)
    drawn = [int(random_kernels.next_random(state)) for _ in range(4)]
    assert drawn == [random.draw() for _ in range(4)]


def test_the_generator_draws_its_published_numbers() -> None:
    """The first outputs for the seed 1234567, as other implementations print them."""
    state = np.array([1234567], np.uint64)
    drawn = [int(random_kernels.next_random(state)) for _ in range(2)]
    assert drawn == [6457827717110365317, 3203168211198807973]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_first_factors_depend_on_key_and_seed_alone(keys: list[int], seed: int) -> None:
    out = np.zeros((len(keys), 6), np.float32)
    random_kernels.initial_factors(np.array(keys, np.uint64), seed, out)
    expected = [reference.initial_factors(key, seed, 6) for key in keys]
    np.testing.assert_allclose(out, expected, rtol=1e-6, atol=1e-7)


def test_first_factors_have_a_standard_deviation_of_a_tenth() -> None:
    out = np.zeros((5000, 8), np.float32)
    random_kernels.initial_factors(np.arange(5000, dtype=np.uint64), 1, out)
    assert abs(float(out.std()) - 0.1) < 0.001
    assert abs(float(out.mean())) < 0.002


events_in_time = st.lists(
    st.tuples(st.floats(-2, 5, width=32), st.integers(10**12, 10**12 + 10**9)), min_size=1
)


@given(events_in_time, st.sampled_from([1e3, 1e6, 1e9]))
def test_decayed_popularity_is_its_sum_in_any_order(
    events: list[tuple[float, int]], half_life: float
) -> None:
    value, at, count = np.zeros(1), np.zeros(1), np.zeros(1, np.int64)
    given_weights, ts = zip(*events, strict=True)
    reference.add_popularity(
        np.zeros(len(events), np.int32), np.array(given_weights, np.float32),
        np.array(ts, np.int64), half_life, value, at, count,
    )  # fmt: skip
    assert (at[0], count[0]) == (max(ts), len(events))
    assert value[0] == pytest.approx(reference.popularity(events, max(ts), half_life), rel=1e-6)


@given(events_in_time, events_in_time)
def test_popularity_merges(first: list[tuple[float, int]], second: list[tuple[float, int]]) -> None:
    sums = []
    for events in (first, second, first + second):
        value, at, count = np.zeros(1), np.zeros(1), np.zeros(1, np.int64)
        given_weights, ts = zip(*events, strict=True)
        reference.add_popularity(
            np.array([0] * len(events), np.int32), np.array(given_weights, np.float32),
            np.array(ts, np.int64), 1e8, value, at, count,
        )  # fmt: skip
        sums.append((value, at))
    (value, at), (more, more_at), (both, both_at) = sums
    value[0], at[0] = popularity_kernels.add_decayed(value[0], at[0], more[0], more_at[0], 1e8)
    assert at[0] == both_at[0]
    assert value[0] == pytest.approx(both[0], rel=1e-6, abs=1e-12)
