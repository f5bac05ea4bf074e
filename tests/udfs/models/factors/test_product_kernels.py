"""The kernels that make lists, against sorting and a JSON decoder."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.memory.test_history_kernels import Pages
from udfs.memory import top_kernels, vector_kernels
from udfs.memory.catalogue import Catalogue
from udfs.models.factors import product_kernels
from udfs.models.factors.product_kernels import Stock, Wanted
from udfs.models.popular import popular_kernels
from udfs.ranking import fill_kernels

few_values = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-50, 50, width=32), st.just(float("nan"))
)


@st.composite
def score_rows(draw: st.DrawFn) -> NDArray[np.float32]:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    values = draw(st.lists(few_values, min_size=rows * columns, max_size=rows * columns))
    return np.array(values, np.float32).reshape(rows, columns)


@given(score_rows(), st.integers(1, 12), st.data())
def test_top_n_is_sorting(scores: NDArray[np.float32], n: int, data: st.DataObject) -> None:
    rows, columns = scores.shape
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=columns, max_size=columns)))
    items, best = np.zeros((rows, n), np.int32), np.zeros((rows, n), np.float32)
    top_kernels.top_n(scores, alive, items, best)
    for row, found, values in zip(scores, items, best, strict=True):
        expected = reference.top_n(
            np.where(np.isnan(row), np.float32(-np.inf), row), alive.tolist(), [], n
        )
        short = n - len(expected)
        assert found.tolist() == [item for item, _ in expected] + [-1] * short
        assert values.tolist() == [score for _, score in expected] + [-np.inf] * short


small = st.integers(-3, 3)  # products and sums of these are exact, and many are equal


@given(
    arrays(np.int8, st.tuples(st.integers(1, 4), st.just(3)), elements=small),
    arrays(np.int8, st.tuples(st.integers(1, 40), st.just(3)), elements=small),
    st.integers(1, 12),
    st.booleans(),
    st.data(),
)
def test_best_products_are_all_products_sorted(
    users: NDArray[np.int8], items: NDArray[np.int8], n: int, exclude: bool, data: st.DataObject
) -> None:
    p, q = users.astype(np.float32), items.astype(np.float32)
    rows, size = len(p), len(q)
    bias = data.draw(arrays(np.float32, size, elements=st.integers(-9, 9).map(float)))
    alive = data.draw(arrays(np.bool_, size))
    eaten = data.draw(
        st.lists(
            st.tuples(st.integers(0, rows - 1), st.integers(0, size - 1), st.just(True)),
            max_size=80,
        )
    )
    pages = Pages(rows, 64)
    if eaten:
        pages.add(eaten)
    history = reference.remember(eaten)
    axis = np.array(data.draw(st.sampled_from([(0, 0, 0), (0, 1, 0), (0.6, 0, 0.8)])), np.float32)
    strong = np.array(data.draw(st.lists(st.integers(0, 50), min_size=1, max_size=5)), np.int32)
    found, best = np.zeros((rows, n), np.int32), np.zeros((rows, n), np.float32)
    to, far, along, across = bounds(p, q, axis)
    stock = Stock(q, bias, alive, along, across, size, strong)
    wanted = Wanted(np.arange(rows, dtype=np.int32), p, to, far)
    product_kernels.best_products(wanted, stock, exclude, pages.view, found, best)
    assert set(found[found >= 0].tolist()) & set(strong.tolist()) or not (found >= 0).any()
    for row in range(rows):
        left_out = history.get(row, []) if exclude else []
        expected = reference.top_n(q @ p[row] + bias, alive.tolist(), left_out, n)
        short = n - len(expected)
        assert found[row].tolist() == [item for item, _ in expected] + [-1] * short
        assert best[row].tolist() == [score for _, score in expected] + [-np.inf] * short


def bounds(p: Any, q: Any, axis: Any) -> tuple[Any, Any, Any, Any]:
    """v·e and the rest's length for users, then for items."""
    found = []
    for rows in (p, q):
        along, across = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.float32)
        vector_kernels.measure(rows, axis, np.arange(len(rows), dtype=np.int32), along, across)
        np.testing.assert_allclose(along, rows @ axis, atol=1e-5)
        rest = np.linalg.norm(rows - np.outer(along, axis), axis=1)
        np.testing.assert_allclose(across, rest, rtol=1e-4, atol=4e-3 * np.abs(rows).sum())
        found += [along, across]
    return found[0], found[1], found[2], found[3]


def test_bounds_hold_and_are_close() -> None:
    """The point of them: far from all products have to be computed."""
    random = np.random.default_rng(1)
    common = random.normal(0, 0.3, 16)
    q = (random.normal(0, 0.1, (5000, 16)) + common).astype(np.float32)
    p = random.normal(0, 0.3, (20, 16)).astype(np.float32)
    bias = (0.1 * np.log(1 / np.arange(1, 5001))).astype(np.float32)
    axis = (common / np.linalg.norm(common)).astype(np.float32)
    products = p @ q.T + bias
    worst = np.sort(products, axis=1)[:, -10]
    shares = []
    for direction in (np.zeros_like(axis), axis):
        to, far, along, across = bounds(p, q, direction)
        bound = bias + np.outer(to, along) + np.outer(far, across)
        assert (bound >= products).all()
        shares.append((bound >= worst[:, None]).mean())
    assert shares[1] < shares[0] / 2


def test_the_axis_follows_the_factors() -> None:
    catalogue = Catalogue(8, seed=1, max_items=1000)
    slots = catalogue.slots([f"i{n}" for n in range(200)])
    common = np.arange(1, 9, dtype=np.float32)
    catalogue.q[slots] += common
    for _ in range(11):
        catalogue.measure(slots)
    assert catalogue.axis @ common / np.linalg.norm(common) > 0.999
    rest = catalogue.q[slots] - np.outer(catalogue.along[slots], catalogue.axis)
    np.testing.assert_allclose(catalogue.across[slots], np.linalg.norm(rest, axis=1), atol=0.2)
    assert catalogue.across[slots].mean() < 0.1 * catalogue.along[slots].mean()


@given(st.permutations(range(30)), st.integers(1, 40), st.booleans(), st.data())
def test_first_unseen(order: list[int], n: int, exclude: bool, data: st.DataObject) -> None:
    eaten = data.draw(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 29), st.just(True))))
    pages = Pages(2, 64)
    if eaten:
        pages.add(eaten)
    history = reference.remember(eaten)
    users = np.array([1, -1, 0], np.int32)
    items = np.zeros((3, n), np.int32)
    order = [item for item in order if item < 20]  # the history may name items not in it
    popular_kernels.first_unseen(np.array(order, np.int32), 20, users, exclude, pages.view, items)
    for user, found in zip(users.tolist(), items.tolist(), strict=True):
        left_out = history.get(user, []) if exclude else []
        expected = [item for item in order if item not in left_out][:n]
        assert found == expected + [-1] * (n - len(expected))


@given(st.sets(st.integers(0, 19)), st.integers(1, 40), st.data())
def test_near_top(near: set[int], most: int, data: st.DataObject) -> None:
    eaten = data.draw(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 29), st.just(True)), max_size=120)
    )
    pages = Pages(2, 64)
    if eaten:
        pages.add(eaten)
    history = reference.remember(eaten)
    wanted = np.array([slot in near for slot in range(20)])
    found = np.zeros((2, most), np.int32)
    popular_kernels.near_top(wanted, np.array([1, 0], np.int32), pages.view, found)
    for user, row in zip((1, 0), found.tolist(), strict=True):
        taken = reversed(history.get(user, []))
        expected = [item for item in taken if item in near or item >= len(wanted)][:most]
        assert row == expected + [-1] * (most - len(expected))


@given(st.lists(st.integers(0, 9), max_size=6, unique=True), st.permutations(range(10)))
def test_short_lists_are_filled_with_what_they_lack(items: list[int], more: list[int]) -> None:
    room = 8
    found = np.array([items + [-1] * (room - len(items))], np.int32)
    scores = np.linspace(1, 0.5, room, dtype=np.float32)[None, :].copy()
    models = np.zeros((1, room), np.int8)
    fill_kernels.fill_up(found, scores, models, np.array([more], np.int32), 3)
    assert found[0].tolist() == (items + [j for j in more if j not in items])[:room]
    assert (np.diff(scores[0]) <= 0).all()
    assert models[0].tolist() == [0] * len(items) + [3] * (room - len(items))
