"""The compiled loop that writes JSON, against `json`."""

from __future__ import annotations

import json
from itertools import cycle
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.lists import json_kernels
from udfs.memory.catalogue import Catalogue

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
scores = st.floats(0, 1, width=32)
WHY = b',"why":{"model":"mf"'


def write(slots: Any, scores: Any, catalogue: Catalogue, out: Any, ends: Any) -> None:
    models, none = np.zeros(slots.shape, np.int8), np.zeros((*slots.shape, 0), np.int32)
    why, because = (np.frombuffer(text, np.uint8) for text in (WHY, b',"because":['))
    texts = json_kernels.Texts(
        catalogue.text,
        catalogue.text_at,
        catalogue.text_length,
        why,
        np.array([0, len(WHY)], np.int32),
        because,
    )
    nobody = np.zeros((len(slots), 0), np.int32)
    items = json_kernels.Items(slots, scores, models, none, nobody)
    text = b'{"id":"' + b'","items":['
    edges = 1, 7, len(text)
    around = json_kernels.Around(np.frombuffer(text, np.uint8), *edges, np.zeros(0, np.int64))
    needed = json_kernels.write_lists(items, texts, around, out[:0], ends)
    assert len(ends) == 0 or len(out) >= needed > 0, "nothing is written where there is no room"
    assert not json_kernels.write_lists(items, texts, around, out[:needed], ends)


@given(st.lists(ids, min_size=1, unique=True), st.lists(st.lists(scores, max_size=6), max_size=4))
def test_written_items_equal_the_json_of_the_standard_library(
    names: list[str], lists: list[list[float]]
) -> None:
    catalogue = Catalogue(2, 1, 1000)
    slots = catalogue.slots(names)
    n = 6
    chosen = np.full((len(lists), n), -1, np.int32)
    given_scores = np.zeros((len(lists), n), np.float32)
    for row, values in enumerate(lists):
        chosen[row, : len(values)] = np.resize(slots, len(values))
        given_scores[row, : len(values)] = values
    longest = int(catalogue.text_length.max()) + len(WHY) + 40
    out, ends = np.zeros(1000 + chosen.size * longest, np.uint8), np.zeros(len(lists), np.int64)
    write(chosen, given_scores, catalogue, out, ends)
    begin = 0
    for values, end in zip(lists, ends.tolist(), strict=True):
        found = json.loads(out[begin:end].tobytes())["items"]
        assert found == [
            {"item": name, "score": int(score * 10000 + 0.5) / 10000, "why": {"model": "mf"}}
            for name, score in zip(cycle(names), values, strict=False)
        ]
        begin = end


def test_scores_outside_0_to_1_are_written_as_the_bounds() -> None:
    catalogue = Catalogue(2, 1, 10)
    slots = catalogue.slots(["a", "b"]).reshape(1, 2)
    out, ends = np.zeros(300, np.uint8), np.zeros(1, np.int64)
    write(slots, np.array([[7.0, -3.0]], np.float32), catalogue, out, ends)
    found = json.loads(out[: ends[0]].tobytes())["items"]
    assert [entry["score"] for entry in found] == [1.0, 0.0]
