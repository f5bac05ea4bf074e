"""The JSON of lists: byte for byte as documented, and against Python's own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, shown
from udfs.lists import contract
from udfs.lists.keys import ITEM, POPULAR, TRENDING, USER, Kind
from udfs.lists.lists_json import ListsJson, Owners
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists, of_one

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


def made(slots: Any, scores: Any = 0.0, model: str = "mf") -> Lists:
    items = np.asarray(slots, np.int32)
    return of_one((items, np.broadcast_to(np.float32(scores), items.shape).copy()), model)


def owners(kind: Kind, names: list[str], numbers: Sequence[int] = (), at_ms: int = NOW) -> Owners:
    counts = np.array(numbers, np.int64) if len(numbers) else None
    return Owners(kind, names, counts, at_ms, "mf" if kind.owner else kind.key)


def written(catalogue: Catalogue, lists: Lists, *more: Any) -> list[Any]:
    names = [f"u{n}" for n in range(len(lists.items))]
    return [
        json.loads(text)
        for text in ListsJson().write(
            owners(USER, names, range(len(names))), catalogue, lists, *more
        )
    ]


A = b'{"item":"a","score":0.5000,"why":{"model":"mf"}}'


def test_lists_are_as_documented_byte_for_byte() -> None:
    catalogue, writer = Catalogue(2, 1, 100), ListsJson()
    a, b, c = catalogue.slots(["a", 'b"', "c"]).tolist()
    lists = made([[a], [-1]], 0.5)
    assert writer.write(owners(USER, ["al", 'b"\\'], [7, 255], 1000), catalogue, lists) == [
        b'{"user":"al","id":"3e8-7","at":1000,"v":1,"source":"mf","items":[%b]}' % A,
        b'{"user":"b\\"\\\\","id":"3e8-ff","at":1000,"v":1,"source":"mf","items":[]}',
    ]
    consumed = np.array([[b, -1, c], [-1, -1, -1]], np.int32)
    users = owners(USER, ["al", "bo"], [0, 2**40], 1000)
    user = writer.write(users, catalogue, made([[a], [a]], 0.5), None, consumed)
    assert user == [
        b'{"user":"al","id":"3e8-0","at":1000,"v":1,"source":"mf","items":[%b],'
        b'"consumed":["b\\"","c"]}' % A,
        b'{"user":"bo","id":"3e8-10000000000","at":1000,"v":1,"source":"mf","items":[%b]}' % A,
    ]
    assert [contract.consumed_of(value) for value in user] == [['b"', "c"], []]
    assert writer.write(owners(ITEM, ["1580"], [], 1000), catalogue, made([[a]], 0.5)) == [
        b'{"item":"1580","id":"3e8","at":1000,"v":1,"source":"mf","items":[%b]}' % A
    ]
    for kind in (POPULAR, TRENDING):
        assert writer.write(owners(kind, [""], [], 1000), catalogue, made([[-1]])) == [
            b'{"id":"3e8","at":1000,"v":1,"source":"%b","items":[]}' % kind.key.encode()
        ]
    assert writer.write(owners(USER, []), catalogue, made(np.zeros((0, 3)))) == []


@given(
    st.lists(ids, min_size=1, max_size=3),
    st.sampled_from([USER, ITEM, POPULAR]),
    st.booleans(),
    st.lists(ids, max_size=3, unique=True),
    st.data(),
)
def test_what_is_written_is_read(
    names: list[str], kind: Kind, numbered: bool, consumed: list[str], data: st.DataObject
) -> None:
    names = names if kind.owner else [""]
    several = st.lists(st.integers(0, 2**62), min_size=len(names), max_size=len(names))
    numbers = data.draw(several) if kind == USER and numbered else []
    catalogue = Catalogue(2, 1, 100)
    item = catalogue.slots(["a"])
    lists = made(np.repeat(item[None, :], len(names), axis=0), 0.5)
    told = np.repeat(catalogue.slots(consumed)[None, :], len(names), axis=0)
    given = (None, told) if kind == USER else ()
    values = ListsJson().write(owners(kind, names, numbers), catalogue, lists, *given)
    for row, (name, value) in enumerate(zip(names, values, strict=True)):
        found = contract.read(value)
        assert (found.at, found.v) == (NOW, contract.CONTRACT)
        number = numbers[row : row + 1]
        assert found.id == contract.list_id(NOW, *number) == contract.id_of(value)
        owner = (name if kind == USER else "", name if kind == ITEM else "")
        assert (found.user, found.item) == owner
        assert found.items == [contract.Entry("a", 0.5, {"model": "mf"})]
        assert found.consumed == (consumed if kind == USER else [])
        unread = contract.read_items(value)
        assert json.loads(msgspec.json.encode(unread)) == json.loads(value)


def test_scores_have_four_decimals() -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(["a", "b"]).reshape(1, 2)
    [text] = ListsJson().write(owners(USER, ["u"]), catalogue, made(slots, [[0.5, 0.12345]]))
    assert text.partition(b'"items":')[2] == (
        b'[{"item":"a","score":0.5000,"why":{"model":"mf"}},'
        b'{"item":"b","score":0.1235,"why":{"model":"mf"}}]}'
    )


def test_reasons_are_named() -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(["a", 'b"', "c"])
    lists = Lists(slots[None, :], np.ones((1, 3), np.float32), np.array([[0, 0, 3]], np.int8))
    reasons = np.array([[[1, 2], [2, -1], [-1, -1]]], np.int32)
    [value] = written(catalogue, lists, reasons)
    assert [entry["why"] for entry in value["items"]] == [
        {"model": "item-cf", "because": ['b"', "c"]},
        {"model": "item-cf", "because": ["c"]},
        {"model": "popular"},
    ]


@given(st.lists(ids, min_size=1, max_size=6, unique=True))
def test_ids_of_any_characters_are_valid_json(names: list[str]) -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = catalogue.slots(names).reshape(1, -1)
    [value] = written(catalogue, made(slots))
    assert shown(value) == names


def test_each_list_ends_where_the_next_begins() -> None:
    catalogue = Catalogue(2, 1, 100)
    slots = np.append(catalogue.slots(["a", "b" * 500]), np.int32(-1))
    rows = np.array([[0, 1, -1], [-1, -1, -1], [1, 0, 1]])
    consumed = slots[np.array([[2, 2], [1, 2], [0, 1]])]
    found = written(catalogue, made(slots[rows]), None, consumed)
    assert [shown(value) for value in found] == [
        ["a", "b" * 500],
        [],
        ["b" * 500, "a", "b" * 500],
    ]
    assert [value["user"] for value in found] == ["u0", "u1", "u2"]
    assert [value.get("consumed", []) for value in found] == [[], ["b" * 500], ["a", "b" * 500]]


def test_the_buffer_follows_a_catalogue_that_grows() -> None:
    catalogue, writer = Catalogue(2, 1, 10_000), ListsJson()
    for n in range(0, 2_000, 100):
        slots = catalogue.slots([f"item {k}" for k in range(n, n + 100)])
        [text] = writer.write(owners(USER, ["u"]), catalogue, made(slots.reshape(1, -1)))
        assert shown(json.loads(text)) == [f"item {k}" for k in range(n, n + 100)]
