"""The kernels that make lists, `top_n` and `write_items`, against sorting and a JSON decoder."""

from __future__ import annotations

import json
from itertools import cycle

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.udfs import reference
from tests.udfs.test_kernels import Pages
from udfs import kernels
from udfs.catalogue import Catalogue

few_values = st.one_of(
    st.integers(-3, 3).map(float), st.floats(-50, 50, width=32), st.just(float("nan"))
)


@st.composite
def score_rows(draw: st.DrawFn) -> NDArray[np.float32]:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(1, 40))
    values = draw(st.lists(few_values, min_size=rows * columns, max_size=rows * columns))
    return np.array(values, np.float32).reshape(rows, columns)


@given(score_rows(), st.integers(1, 12), st.booleans(), st.data())
def test_top_n_is_sorting(
    scores: NDArray[np.float32],
    n: int,
    exclude: bool,
    data: st.DataObject,
) -> None:
    rows, columns = scores.shape
    slot = st.integers(0, columns - 1)
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=columns, max_size=columns)))
    bias = np.array(
        data.draw(st.lists(st.integers(-2, 2), min_size=columns, max_size=columns)), np.float32
    )
    users = np.array([-1, *range(rows - 1)], np.int32)
    eaten = data.draw(st.lists(st.tuples(st.integers(0, rows), slot, st.just(True)), max_size=80))
    pages = Pages(rows + 1, 64)
    if eaten:
        # 10⁶: an item that the replica has met only after these scores were made.
        pages.add([*eaten, (0, 10**6, True)])
    history = reference.remember(eaten)
    wanted = [
        reference.top_n(
            np.where(np.isnan(row), -np.inf, row + bias).astype(np.float32),
            alive.tolist(),
            history.get(int(user), []) if exclude and user >= 0 else [],
            n,
        )
        for row, user in zip(scores, users, strict=True)
    ]
    items, best = np.zeros((rows, n), np.int32), np.zeros((rows, n), np.float32)
    kernels.top_n(scores, bias, alive, exclude, users, *pages.arrays(), items, best)
    for row, expected in enumerate(wanted):
        short = n - len(expected)
        assert items[row].tolist() == [item for item, _ in expected] + [-1] * short
        assert best[row].tolist() == [score for _, score in expected] + [-np.inf] * short


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
scores = st.floats(0, 1, width=32)
WHY = b',"why":{"model":"mf"}}'


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
    longest = int(catalogue.text_length.max()) + len(WHY) + 7
    out, ends = np.zeros(max(1, chosen.size * longest), np.uint8), np.zeros(len(lists), np.int64)
    kernels.write_items(
        chosen, given_scores, catalogue.text, catalogue.text_at, catalogue.text_length,
        np.frombuffer(WHY, np.uint8), out, ends,
    )  # fmt: skip
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
    kernels.write_items(
        slots, np.array([[7.0, -3.0]], np.float32), catalogue.text, catalogue.text_at,
        catalogue.text_length, np.frombuffer(b"}", np.uint8), out, ends,
    )  # fmt: skip
    written = out[: ends[0]].tobytes()
    assert written == b'{"item":"a","score":1.0000},{"item":"b","score":0.0000}'
