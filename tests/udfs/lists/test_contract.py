"""The front end's contract: the JSON of a list, read; it is written in `test_lists_json`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from udfs.lists import contract


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


def test_a_list_without_an_item_is_the_same_otherwise() -> None:
    def made(*items: str) -> bytes:
        entries = [{"item": item, "score": 0.5, "why": {"model": "mf"}} for item in items]
        head = {"user": "ann", "id": "5-1", "at": 5, "v": 1, "source": "mf"}
        return msgspec.json.encode(head | {"items": entries})

    value = made("a", 'b"\\', "c")
    assert contract.without(value, {'b"\\', "x"}) == made("a", "c")
    assert contract.without(value, {"x"}) is value
    assert contract.without(b"no list", {"a"}) == b"no list"
