"""The front end's contract: the JSON of a list, written and read."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW
from udfs.lists import contract
from udfs.lists.keys import ITEM, POPULAR, TRENDING, USER, Kind

ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
ITEMS = b'{"item":"a","score":0.5000,"why":{"model":"mf"}}'


def test_lists_are_as_documented_byte_for_byte() -> None:
    user = contract.write(USER, ["al", 'b"'], [7, 255], 1000, "mf", [ITEMS, b""])
    assert user == [
        b'{"user":"al","id":"3e8-7","at":1000,"v":1,"source":"mf","items":[%b]}' % ITEMS,
        b'{"user":"b\\"","id":"3e8-ff","at":1000,"v":1,"source":"mf","items":[]}',
    ]
    numbers, consumed = [7, 255], [b'"b\\"","c"', b""]
    user = contract.write(USER, ["al", "bo"], numbers, 1000, "mf", [ITEMS, ITEMS], consumed)
    assert user == [
        b'{"user":"al","id":"3e8-7","at":1000,"v":1,"source":"mf","items":[%b],'
        b'"consumed":["b\\"","c"]}' % ITEMS,
        b'{"user":"bo","id":"3e8-ff","at":1000,"v":1,"source":"mf","items":[%b]}' % ITEMS,
    ]
    assert [contract.consumed_of(value) for value in user] == [['b"', "c"], []]
    assert contract.write(ITEM, ["1580"], [], 1000, "item-cf", [ITEMS]) == [
        b'{"item":"1580","id":"3e8","at":1000,"v":1,"source":"item-cf","items":[%b]}' % ITEMS
    ]
    for kind in (POPULAR, TRENDING):
        assert contract.write(kind, [""], [], 1000, kind.key, [b""]) == [
            b'{"id":"3e8","at":1000,"v":1,"source":"%b","items":[]}' % kind.key.encode()
        ]


@given(
    ids,
    st.sampled_from([USER, ITEM, POPULAR]),
    st.lists(st.integers(0, 2**40), max_size=1),
    st.lists(ids, max_size=3),
)
def test_what_is_written_is_read(
    name: str, kind: Kind, numbers: list[int], consumed: list[str]
) -> None:
    numbers = numbers if kind.owner else []
    name_is_users, told = bool(numbers), msgspec.json.encode(consumed)[1:-1]
    [value] = contract.write(kind, [name], numbers, NOW, "ranker", [ITEMS], [told])
    found = contract.read(value)
    assert (found.at, found.v, found.source) == (NOW, contract.CONTRACT, "ranker")
    assert found.id == contract.list_id(NOW, *numbers) == contract.id_of(value)
    assert (found.user, found.item) == (
        name if kind == USER else "",
        name if kind == ITEM else "",
    )
    assert found.items == [contract.Entry("a", 0.5, {"model": "mf"})]
    assert found.consumed == (consumed if name_is_users else [])
    unread = contract.read_items(value)
    assert json.loads(msgspec.json.encode(unread)) == json.loads(value)


def test_both_forms_in_which_a_list_is_read_have_the_same_fields() -> None:
    def fields(form: Any) -> set[str]:
        return set(form.__struct_fields__)

    assert fields(contract.UnreadList) == fields(contract.RecommendationList)
    assert fields(contract.UnreadEntry) == fields(contract.Entry)


def test_the_popular_list_is_empty_before_one_is_written() -> None:
    assert contract.read(contract.EMPTY).items == []


@pytest.mark.parametrize("value", [b"", b"{}", b'{"id":7}', b"[", b"no list"])
def test_other_values_have_no_list_id(value: bytes) -> None:
    assert contract.id_of(value) == ""
    with pytest.raises(msgspec.MsgspecError):
        contract.read(value)
    assert contract.consumed_of(value) == []
