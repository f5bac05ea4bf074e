"""Messages of lists: which records they hold, in which topic."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.formats.settings import ListFormat
from udfs.lists.keys import CATEGORY_POPULAR, ITEM, KEPT, NAMES, POPULAR, USER, Kind
from udfs.lists.topic import MOST, Message, erased, writers, written
from udfs.options.schema_registry import VALUE_FORMATS, ValueFormat

JSON = writers(ListFormat())
ALL = tuple(dict.fromkeys(NAMES.values()))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def lists(kind: Kind, names: list[str], value: bytes = b'{"items":[]}') -> Any:
    return SimpleNamespace(kind=kind, names=names, json=[value] * len(names))


def records(messages: list[Message]) -> list[tuple[bool, str, bytes | None]]:
    """Whether each record is for the shared topic, its key and its value."""
    return [(one.shared, key.decode(), v) for one in messages for key, v in one.records.items()]


@given(st.lists(texts, unique=True))
def test_any_id_comes_back(names: list[str]) -> None:
    assert records(list(written([lists(USER, names)], ["user"], JSON))) == [
        (False, name, b'{"items":[]}') for name in names
    ]
    assert records(list(erased(names, ["user"]))) == [(False, name, None) for name in names]


def test_shared_lists_have_the_keys_of_redis_and_a_topic_of_their_own() -> None:
    updates = [lists(ITEM, ["7"]), lists(POPULAR, [""]), lists(CATEGORY_POPULAR, ["tea"])]
    found = records(list(written([*updates, lists(USER, ["popular"])], ALL, JSON)))
    assert [record[:2] for record in found] == [
        (False, "popular"),
        (True, "similar:7"),
        (True, "popular"),
        (True, "popular:tea"),
    ]


def test_only_the_kinds_that_are_wanted() -> None:
    updates = [lists(ITEM, ["7"]), lists(KEPT, ["ann"]), lists(USER, ["ann"])]
    assert [key for _, key, _ in records(list(written(updates, ["similar"], JSON)))] == [
        "similar:7"
    ]
    assert [key for _, key, _ in records(list(written(updates, ALL, JSON)))] == ["ann", "similar:7"]
    assert list(erased(["ann"], ["similar"])) == []
    assert list(written([], ALL, JSON)) == list(erased([], ALL)) == []


def test_a_message_has_so_many_records() -> None:
    names = [f"u{n}" for n in range(2 * MOST + 1)]
    messages = list(written([lists(USER, names)], ["user"], JSON))
    assert [len(message.records) for message in messages] == [MOST, MOST, 1]
    assert [key for _, key, _ in records(messages)] == names


def test_the_newest_list_of_a_batch_is_its_last_record() -> None:
    updates = [lists(USER, ["ann", "bob"], b"1"), lists(USER, ["ann"], b"2")]
    assert dict(record[1:] for record in records(list(written(updates, ["user"], JSON)))) == {
        "ann": b"2",
        "bob": b"1",
    }


@pytest.mark.parametrize("name", VALUE_FORMATS)
def test_a_value_with_a_schema_has_the_id_of_its_topic(name: ValueFormat) -> None:
    values = writers(ListFormat(format=name, own=3, shared=4))
    json = b'{"id":"a","at":1,"v":1,"source":"mf","items":[]}'
    updates = [lists(USER, ["ann"], json), lists(POPULAR, [""], json)]
    for record, number in zip(records(list(written(updates, ALL, values))), (3, 4), strict=True):
        value = record[2] or b""
        assert value[:5] == b"\0" + number.to_bytes(4, "big") and len(value) > 5
