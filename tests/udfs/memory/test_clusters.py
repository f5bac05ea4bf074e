"""The approximate search: clusters that follow their items, and what the best of them hold."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.tastes import factors
from tests.udfs import reference
from tests.udfs.builders import OneShard, batch_of, shown
from tests.udfs.memory.test_history_kernels import Pages
from udfs.memory import cluster_kernels, clusters, probe_kernels
from udfs.memory.catalogue import Catalogue
from udfs.memory.clusters import ClusterIndex
from udfs.memory.probe_kernels import Marks, Stock, Wanted
from udfs.models.factors.search import rank_similar

D = 6
Floats = NDArray[np.float32]


def check(index: ClusterIndex, placed: set[int]) -> None:
    """Each placed slot is in one cluster, at one place, and nothing else is."""
    a = index.arrays
    used = int(a.used[0])
    rows = [a.members[c, : a.counts[c]].tolist() for c in range(used)]
    assert sorted(j for row in rows for j in row) == sorted(placed)
    for c, row in enumerate(rows):
        for at, j in enumerate(row):
            assert (a.of[j], a.at[j]) == (c, at)
    assert not a.counts[used:].any()
    assert (a.of[[j for j in range(len(a.of)) if j not in placed]] == -1).all()


def squared(a: Any, j: int, q: Floats, bias: Floats) -> Floats:
    """The squared distance of an item to each centre in use."""
    point = np.append(q[j], bias[j])
    return np.square(a.centres[: int(a.used[0])] - point).sum(axis=1)


@given(st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=60), max_size=12), st.booleans())
def test_every_item_is_in_exactly_one_cluster(moves: list[list[int]], alike: bool) -> None:
    random = np.random.default_rng(len(moves))
    q, bias = factors(300, D)
    if alike:  # nothing distinguishes them
        q[:], bias[:] = 1, 0
    index, placed = ClusterIndex(D), set[int]()
    for slots in moves:
        index.place(np.array(slots, np.int32), q, bias)
        placed |= set(slots)
        check(index, placed)
        q[slots] += random.normal(0, 0.5, (len(slots), D)).astype(np.float32) * (not alike)
    index.place(np.arange(300, dtype=np.int32), q, bias)
    check(index, set(range(300)))
    assert int(index.arrays.used[0]) >= 300 / 32


def test_an_item_that_is_far_from_its_centre_goes_to_the_nearest() -> None:
    q, bias = factors(2000, D)
    index = ClusterIndex(D)
    index.place(np.arange(2000, dtype=np.int32), q, bias)
    a = index.arrays
    for j in range(0, 2000, 100):
        other = (j + 1) % 2000
        q[j], bias[j] = 8 * q[other], 2.0
        index.place(np.array([j], np.int32), q, bias)
        distances = squared(a, j, q, bias)
        assert distances[a.of[j]] <= distances.min() * 1.001
        before = a.of[j]
        q[j] *= np.float32(1.001)  # hardly moved: it stays
        index.place(np.array([j], np.int32), q, bias)
        assert a.of[j] == before
    check(index, set(range(2000)))


def test_centres_follow_their_members() -> None:
    q, bias = factors(1000, D)
    index = ClusterIndex(D)
    index.place(np.arange(1000, dtype=np.int32), q, bias)
    for _ in range(40):
        q += np.float32(0.01)
        index.place(np.arange(1000, dtype=np.int32), q, bias)
    a = index.arrays
    for c in range(int(a.used[0])):
        if a.counts[c]:
            members = a.members[c, : a.counts[c]]
            centre = np.append(q[members].mean(axis=0), bias[members].mean())
            # The last mean may be as old as one change of each member.
            assert np.abs(a.centres[c] - centre).max() < 0.1 + 0.5 * np.sqrt(a.radius[c])


@given(st.integers(1, 40), st.integers(1, 12), st.booleans(), st.booleans(), st.data())
def test_a_search_is_sorting_the_members_of_the_best_clusters(
    probes: int, n: int, cosine: bool, exclude: bool, data: st.DataObject
) -> None:
    items, count, rows = 60, 8, 3
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    # Products of these are exact, and many are equal.
    q = random.integers(-3, 4, (items, 3)).astype(np.float32)
    bias = random.integers(-9, 9, items).astype(np.float32)
    v = random.integers(-3, 4, (rows, 3)).astype(np.float32)
    if cosine:
        v = np.eye(3, dtype=np.float32)
    alive = random.random(items) < 0.8
    of = random.integers(0, count, items)
    counts = np.bincount(of, minlength=count).astype(np.int32)
    members = np.zeros((count, items), np.int32)
    for c in range(count):
        members[c, : counts[c]] = random.permutation(np.flatnonzero(of == c))
    near = random.permutation(rows * count).reshape(rows, count).astype(np.float32)
    reach = random.choice(np.array([np.inf, -np.inf], np.float32), (rows, count), p=[0.8, 0.2])
    eaten = [(int(r), int(j), True) for r, j in random.integers(0, [rows, items], (30, 2))]
    pages = Pages(rows, 64)
    pages.add(eaten)
    history = reference.remember(eaten)
    found, best = np.zeros((rows, n), np.int32), np.zeros((rows, n), np.float32)
    users = np.arange(rows if exclude else 0, dtype=np.int32)
    wanted, stock = Wanted(users, v, near, reach, cosine), Stock(q, bias, alive)
    marks = Marks(np.zeros(items, np.int64), 1)
    codes, scales = np.zeros((items, 3), np.int8), np.zeros((items, 2), np.float32)
    for j in range(items):
        cluster_kernels.sketch(j, q, bias, codes, scales)
    groups = ClusterIndex(3).arrays._replace(
        counts=counts, members=members, used=np.array([count]), codes=codes, scales=scales
    )
    probe_kernels.probe(wanted, stock, groups, probes, marks, pages.view, found, best)
    for r in range(rows):
        scores = (
            q @ v[r] / np.maximum(np.linalg.norm(q, axis=1), 1e-12) if cosine else q @ v[r] + bias
        )
        left_out = history.get(r, []) if exclude else []
        inside: list[int] = []
        expected: list[tuple[int, float]] = []
        for c in [c for c in np.argsort(-near[r]) if counts[c]][:probes]:
            if len(expected) < n or near[r, c] + reach[r, c] >= expected[-1][1]:
                inside.append(c)
                living = (alive & np.isin(of, inside)).tolist()
                expected = reference.top_n(scores, living, left_out, n)
        if len(expected) < n:
            expected = reference.top_n(scores, alive.tolist(), left_out, n)
        np.testing.assert_allclose(best[r][: len(expected)], [s for _, s in expected], rtol=1e-5)
        assert (found[r][len(expected) :] == -1).all()
        if not cosine:
            assert found[r][: len(expected)].tolist() == [j for j, _ in expected]


@given(st.integers(1, 70), st.floats(2**-40, 100.0, width=32), st.integers(0, 99))
def test_a_sketch_is_off_by_half_a_step_at_most(d: int, size: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    q = (random.normal(0, 1, (3, d)) * size).astype(np.float32)
    q[1] = 0
    bias = random.normal(0, 1, 3).astype(np.float32)
    codes, scales = np.ones((3, d), np.int8), np.ones((3, 2), np.float32)
    for j in range(3):
        cluster_kernels.sketch(j, q, bias, codes, scales)
    off = np.abs(q - codes * scales[:, :1].astype(np.float64))
    assert (off <= 0.501 * scales[:, :1]).all()
    np.testing.assert_array_equal(scales[:, 1], bias)


def test_the_search_follows_items_that_move(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "PROBES", 3000)
    catalogue, random = catalogue_of(3000, 16, "approximate"), np.random.default_rng(1)
    everything = np.arange(3000, dtype=np.int32)
    for _ in range(3):
        catalogue.q[:3000] += random.normal(0, 0.3, (3000, 16)).astype(np.float32)
        catalogue.bias[:3000] += random.normal(0, 1, 3000).astype(np.float32)
        catalogue.measure(random.permutation(everything))
        index = catalogue.clusters
        assert index is not None
        index.arrays.radius[:] = np.inf  # none is passed over, so that the search is exact
        assert recall(*best(factors(20, 16, 7)[0], catalogue, 20)) == 1.0


def catalogue_of(count: int, dimensions: int, search: str) -> Catalogue:
    catalogue = Catalogue(dimensions, 1, count, search)
    slots = catalogue.slots([f"i{k}" for k in range(count)])
    catalogue.q[slots], catalogue.bias[slots] = factors(count, dimensions)
    catalogue.put_rows(catalogue.names(slots.tolist()), catalogue.rows(slots))
    return catalogue


def recall(found: NDArray[np.int32], exact: NDArray[np.int32]) -> float:
    pairs = zip(found.tolist(), exact.tolist(), strict=True)
    return float(np.mean([len(set(a) & set(b)) / len(b) for a, b in pairs]))


def best(v: Floats, catalogue: Catalogue, n: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The lists of n that clusters give, and the exact ones."""
    items, scores = np.empty((len(v), n), np.int32), np.empty((len(v), n), np.float32)
    index = catalogue.clusters
    assert index is not None
    q, bias = catalogue.q, catalogue.bias
    index.search(v, Stock(q, bias, catalogue.alive), items, scores)
    products = v @ q[: catalogue.size].T + bias[: catalogue.size]
    return items, np.argsort(-products, axis=1, kind="stable")[:, :n].astype(np.int32)


def test_threads_that_search_at_once_find_what_one_finds() -> None:
    catalogue, shard = catalogue_of(3000, 8, "approximate"), OneShard()
    for k in range(40):
        shard.learn(batch_of([(f"u{k % 7}", f"i{k}")]))
    users = shard.slots(*(f"u{k}" for k in range(7)))
    v = factors(7, 8, 5)[0]
    index, history = catalogue.clusters, shard.learner.users.view
    assert index is not None

    def lists(_: int) -> list[list[int]]:
        items, scores = np.empty((7, 30), np.int32), np.empty((7, 30), np.float32)
        stock = Stock(catalogue.q, catalogue.bias, catalogue.alive)
        for _ in range(20):
            index.search(v, stock, items, scores, users, history)
        found: list[list[int]] = items.tolist()
        return found

    expected = lists(0)
    with ThreadPoolExecutor(4) as pool:
        assert all(found == expected for found in pool.map(lists, range(8)))


def test_recall_on_structured_factors_is_at_least_95_percent() -> None:
    catalogue, random = catalogue_of(40_000, 32, "auto"), np.random.default_rng(2)
    some = random.integers(0, catalogue.size, (200, 2))
    wanted = 1.5 * catalogue.q[some].sum(axis=1)
    assert recall(*best(wanted, catalogue, 20)) >= 0.95
    # And still so after all of them have moved, bit by bit, as learning moves them.
    fresh = factors(40_000, 32, seed=9)
    everything = np.arange(40_000, dtype=np.int32)
    for _ in range(10):
        catalogue.q[:40_000] += (fresh[0] - catalogue.q[:40_000]) / 4
        catalogue.bias[:40_000] += (fresh[1] - catalogue.bias[:40_000]) / 4
        catalogue.measure(random.permutation(everything))
    wanted = 1.5 * catalogue.q[some].sum(axis=1)
    assert recall(*best(wanted, catalogue, 20)) >= 0.95
    assert catalogue.clusters is not None
    assert int(catalogue.clusters.arrays.used[0]) < 3 * 40_000**0.5


def test_similar_items_by_cluster_are_those_of_all_items() -> None:
    exact, other = catalogue_of(3000, 16, "exact"), catalogue_of(3000, 16, "approximate")
    assert (exact.clusters is None, other.clusters is None) == (True, False)
    slots = np.arange(0, 3000, 30)
    items, scores = rank_similar(exact, slots, 10)
    found, values = rank_similar(other, slots, 10)
    assert not (found == slots[:, None]).any()
    assert recall(found, items) > 0.95
    assert (values <= scores + 1e-5).all() and (np.diff(values, axis=1) <= 0).all()


def test_a_catalogue_is_searched_by_cluster_from_a_size_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udfs.memory.catalogue.AUTOMATIC", 40)
    auto, exact = Catalogue(4, 1, 1000, "auto"), Catalogue(4, 1, 1000, "exact")
    for n in range(60):
        for catalogue in (auto, exact):
            catalogue.slots([f"i{n}"])
        assert (auto.clusters is not None) == (n >= 39)
    assert exact.clusters is None and auto.clusters is not None
    check(auto.clusters, set(range(60)))
    auto.seen[:30] = 1
    auto.expire(1)
    auto.compact()
    assert (auto.living, auto.clusters) == (30, None)
    auto.slots([f"more {n}" for n in range(10)])
    assert auto.clusters is not None
    auto.seen[:5] = 1
    auto.slots([f"again {n}" for n in range(10)])
    auto.seen[:5] = 1
    auto.seen[5:50] = 2
    auto.expire(2)
    auto.compact()
    check(auto.clusters, set(range(45)))


def test_lists_of_a_learner_by_cluster_are_the_exact_ones_while_all_clusters_are_searched() -> None:
    lists = {}
    for search in ("exact", "approximate"):
        shard = OneShard(search=search, served="mf")
        random = np.random.default_rng(1)
        for _ in range(20):
            pairs = random.integers(0, [12, 300], (50, 2))
            shard.learn(batch_of([(f"u{u}", f"i{i}") for u, i in pairs.tolist()]))
        found = shard.lists(*(f"u{k}" for k in range(12)))
        lists[search] = {key: shown(value) for key, value in found.items()}
    assert clusters.PROBES * 17 > 300
    assert lists["exact"] == lists["approximate"]
