"""Records of items: the newest time of each field wins, whatever the order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.state.item_records import (
    Record,
    as_of,
    fields_of,
    merged,
    pack_record,
    unpack_record,
)

values = st.one_of(st.none(), st.text(max_size=3), st.booleans())
own = st.none() | st.dictionaries(st.sampled_from(["colour", "size"]), values, max_size=2)
changes = st.fixed_dictionaries(
    {},
    optional={
        "title": values,
        "price": values,
        "deleted": st.none() | st.booleans(),
        "attributes": own,
    },
)


def twin(told: list[tuple[int, dict[str, Any]]]) -> dict[str, Any]:
    """The fields after changes in order of time, one dict that is changed."""
    fields: dict[str, Any] = {}
    attributes: dict[str, Any] = {}
    deleted = False
    for _, change in sorted(told, key=lambda one: one[0]):
        if change.get("deleted"):
            fields, attributes, deleted = {}, {}, True
            continue
        for name, value in change.items():
            if name == "attributes":
                attributes = {} if value is None else attributes | value
            elif name != "deleted":
                fields[name] = value
    fields = {name: value for name, value in fields.items() if value is not None}
    own = {name: value for name, value in attributes.items() if value is not None}
    fields |= {"attributes": own} if own else {}
    return fields or ({"deleted": True} if deleted else {})


def after(told: list[tuple[int, dict[str, Any]]]) -> Record:
    record: Record = {}
    for ts, change in told:
        record = merged(record, ts, change)
    return record


@given(st.lists(changes, max_size=4))
def test_fields_are_those_of_the_newest_changes_in_any_order_and_twice(
    found: list[dict[str, Any]],
) -> None:
    told = list(enumerate(found, 1))
    for order in permutations(told):
        assert fields_of(after([*order])) == twin(told)
    assert fields_of(after([*told, *told])) == twin(told)


@given(st.lists(changes, max_size=4))
def test_a_record_survives_being_packed(found: list[dict[str, Any]]) -> None:
    record = after(list(enumerate(found, 1)))
    assert unpack_record(pack_record(record), "x") == record


def test_a_deleted_item_keeps_nothing_but_that_and_can_come_back() -> None:
    record = after([(1, {"title": "Mug", "price": 2.0}), (5, {"deleted": True})])
    assert fields_of(record) == {"deleted": True} and list(record) == ["deleted"]
    assert fields_of(merged(record, 4, {"title": "late"})) == {"deleted": True}
    assert fields_of(merged(record, 6, {"title": "Cup"})) == {"title": "Cup"}
    assert as_of(record) == 5


def test_an_item_that_is_back_in_the_same_millisecond_begins_anew() -> None:
    old, gone = (1, {"title": "Mug", "price": 2.0}), (5, {"deleted": True})
    back = 5, {"title": "Cup", "deleted": False}
    for told in ([old, gone, back], [old, gone, back, back], [gone, back, old], [back, gone, back]):
        assert fields_of(after(told)) == {"title": "Cup"}
    assert fields_of(after([old, gone, back, gone])) == {"deleted": True}
    assert fields_of(after([old, gone, (5, {"title": "Cup"})])) == {"deleted": True}
    assert fields_of(after([old, gone, (4, {"title": "Cup", "deleted": False})])) == {
        "deleted": True
    }


def test_of_two_changes_of_one_time_the_later_counts() -> None:
    assert fields_of(after([(1, {"title": "a"}), (1, {"title": "b"})])) == {"title": "b"}


@pytest.mark.parametrize("data", [b"", b"\x93", b"no"])
def test_damaged_bytes_are_named(data: bytes) -> None:
    with pytest.raises(ServiceError, match="metadata of item 'kettle' is damaged"):
        unpack_record(data, "the metadata of item 'kettle'")


def test_a_newer_form_is_refused() -> None:
    with pytest.raises(ServiceError, match="stored in form 9"):
        unpack_record(b"\x92\x09\x80", "the metadata of item 'kettle'")


def test_nothing_is_an_empty_record() -> None:
    assert unpack_record(None, "kettle") == {} and fields_of({}) == {}
