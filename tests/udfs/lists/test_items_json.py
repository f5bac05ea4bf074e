"""The JSON of items, against Python's own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import shown
from udfs.lists.items_json import ItemsJson
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists, of_one

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def made(slots: Any, scores: Any = 0.0, model: str = "mf") -> Lists:
    items = np.asarray(slots, np.int32)
    return of_one((items, np.broadcast_to(np.float32(scores), items.shape).copy()), model)


def decoded(texts: list[bytes]) -> list[Any]:
    return [json.loads(b"[" + text + b"]") for text in texts]


def test_scores_have_four_decimals() -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(["a", "b"]).reshape(1, 2)
    ([text], _) = ItemsJson().write(catalogue, made(slots, [[0.5, 0.12345]]))
    assert text == (
        b'{"item":"a","score":0.5000,"why":{"model":"mf"}},'
        b'{"item":"b","score":0.1235,"why":{"model":"mf"}}'
    )


def test_reasons_are_named() -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(["a", 'b"', "c"])
    lists = Lists(slots[None, :], np.ones((1, 3), np.float32), np.array([[0, 0, 3]], np.int8))
    reasons = np.array([[[1, 2], [2, -1], [-1, -1]]], np.int32)
    [entries] = decoded(ItemsJson().write(catalogue, lists, reasons)[0])
    assert [entry["why"] for entry in entries] == [
        {"model": "item-cf", "because": ['b"', "c"]},
        {"model": "item-cf", "because": ["c"]},
        {"model": "popular"},
    ]


@given(st.lists(ids, min_size=1, max_size=6, unique=True))
def test_ids_of_any_characters_are_valid_json(names: list[str]) -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(names).reshape(1, -1)
    [entries] = decoded(ItemsJson().write(catalogue, made(slots))[0])
    assert shown({"items": entries}) == names


def test_ends_mark_the_end_of_each_list() -> None:
    catalogue, writer = Catalogue(2, 1, 100), ItemsJson()
    slots = np.append(catalogue.slots(["a", "b" * 500]), np.int32(-1))
    rows = np.array([[0, 1, -1], [-1, -1, -1], [1, 0, 1]])
    consumed = slots[np.array([[2, 2], [1, 2], [0, 1]])]
    items, ids = writer.write(catalogue, made(slots[rows]), consumed=consumed)
    found = [shown({"items": entries}) for entries in decoded(items)]
    assert found == [["a", "b" * 500], [], ["b" * 500, "a", "b" * 500]]
    assert decoded(ids) == [[], ["b" * 500], ["a", "b" * 500]]
    assert writer.write(catalogue, made(np.zeros((0, 3)))) == ([], [])
