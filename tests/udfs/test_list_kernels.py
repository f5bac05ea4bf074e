"""The kernels that make lists, against sorting and a JSON decoder."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.test_kernels import Pages
from udfs import kernels, list_kernels
from udfs.catalogue import Catalogue

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
    list_kernels.top_n(scores, alive, items, best)
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
    reach = np.linalg.norm(p, axis=1)
    length = np.zeros(size, np.float32)
    kernels.lengths(q, np.arange(size, dtype=np.int32), length)
    np.testing.assert_allclose(length, np.linalg.norm(q, axis=1), rtol=1e-6)
    order, bound = list_kernels.by_bound(bias, length, alive, size, reach.max())
    assert sorted(order.tolist()) == np.flatnonzero(alive).tolist()
    assert (np.diff(bound) <= 0).all()
    assert (bound >= (bias + reach.max() * length)[order]).all()
    found, best = np.zeros((rows, n), np.int32), np.zeros((rows, n), np.float32)
    slots = np.arange(rows, dtype=np.int32)
    list_kernels.best_products(
        p, reach, slots, q, bias, length, order, bound, exclude, *pages.arrays(), found, best
    )
    for row in range(rows):
        left_out = history.get(row, []) if exclude else []
        expected = reference.top_n(q @ p[row] + bias, alive.tolist(), left_out, n)
        short = n - len(expected)
        assert found[row].tolist() == [item for item, _ in expected] + [-1] * short
        assert best[row].tolist() == [score for _, score in expected] + [-np.inf] * short


def test_best_products_tries_few_items() -> None:
    """The point of the bounds: far from all products are computed."""
    random = np.random.default_rng(1)
    q = random.normal(0, 0.1, (5000, 16)).astype(np.float32)
    p = random.normal(0, 0.1, (20, 16)).astype(np.float32)
    bias = np.log(1 / np.arange(1, 5001)).astype(np.float32)
    length, reach = np.linalg.norm(q, axis=1), np.linalg.norm(p, axis=1)
    alive = np.ones(5000, np.bool_)
    _, bound = list_kernels.by_bound(bias, length, alive, 5000, reach.max())
    worst = np.sort(p @ q.T + bias, axis=1)[:, -10]
    assert (bound[:, None] >= worst).mean() < 0.02


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
    list_kernels.first_unseen(np.array(order, np.int32), 20, users, exclude, *pages.arrays(), items)
    for user, found in zip(users.tolist(), items.tolist(), strict=True):
        left_out = history.get(user, []) if exclude else []
        expected = [item for item in order if item not in left_out][:n]
        assert found == expected + [-1] * (n - len(expected))


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
scores = st.floats(0, 1, width=32)
WHY = b',"why":{"model":"mf"'


def write(slots: Any, scores: Any, catalogue: Catalogue, out: Any, ends: Any) -> None:
    models, none = np.zeros(slots.shape, np.int8), np.zeros((*slots.shape, 0), np.int32)
    why, because = (np.frombuffer(text, np.uint8) for text in (WHY, b',"because":['))
    list_kernels.write_items(
        slots, scores, models, none, catalogue.text, catalogue.text_at, catalogue.text_length,
        why, np.array([0, len(WHY)], np.int32), because, out, ends,
    )  # fmt: skip


@given(st.lists(ids, min_size=1, unique=True), st.lists(st.lists(scores, max_size=6), max_size=4))
def test_written_items_are_the_json_of_them(names: list[str], lists: list[list[float]]) -> None:
    catalogue = Catalogue(2, 1, 1000)
    slots = catalogue.slots(names)
    n = 6
    chosen = np.full((len(lists), n), -1, np.int32)
    given_scores = np.zeros((len(lists), n), np.float32)
    for row, values in enumerate(lists):
        chosen[row, : len(values)] = np.resize(slots, len(values))
        given_scores[row, : len(values)] = values
    longest = int(catalogue.text_length.max()) + len(WHY) + 9
    out, ends = np.zeros(max(1, chosen.size * longest), np.uint8), np.zeros(len(lists), np.int64)
    write(chosen, given_scores, catalogue, out, ends)
    begin = 0
    for values, end in zip(lists, ends.tolist(), strict=True):
        found = json.loads(b"[" + out[begin:end].tobytes() + b"]")
        assert found == [
            {"item": name, "score": int(score * 10000 + 0.5) / 10000, "why": {"model": "mf"}}
            for name, score in zip(cycle(names), values, strict=False)
        ]
        begin = end


def test_scores_outside_0_to_1_are_written_as_the_bounds() -> None:
    catalogue = Catalogue(2, 1, 10)
    slots = catalogue.slots(["a", "b"]).reshape(1, 2)
    out, ends = np.zeros(200, np.uint8), np.zeros(1, np.int64)
    write(slots, np.array([[7.0, -3.0]], np.float32), catalogue, out, ends)
    found = json.loads(b"[" + out[: ends[0]].tobytes() + b"]")
    assert [entry["score"] for entry in found] == [1.0, 0.0]


@given(st.lists(st.integers(0, 9), max_size=6, unique=True), st.permutations(range(10)))
def test_short_lists_are_filled_with_what_they_lack(items: list[int], more: list[int]) -> None:
    room = 8
    found = np.array([items + [-1] * (room - len(items))], np.int32)
    scores = np.linspace(1, 0.5, room, dtype=np.float32)[None, :].copy()
    models = np.zeros((1, room), np.int8)
    list_kernels.fill_up(found, scores, models, np.array([more], np.int32), 3)
    assert found[0].tolist() == (items + [j for j in more if j not in items])[:room]
    assert (np.diff(scores[0]) <= 0).all()
    assert models[0].tolist() == [0] * len(items) + [3] * (room - len(items))
