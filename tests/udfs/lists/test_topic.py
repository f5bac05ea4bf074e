"""Messages of lists: whatever an id holds, their lines say which key and value are meant."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.formats.settings import ListFormat
from udfs.lists.keys import CATEGORY_POPULAR, ITEM, KEPT, NAMES, POPULAR, USER, Kind
from udfs.lists.topic import FIELD, LINE, MOST, erased, writers, written
from udfs.options.schema_registry import VALUE_FORMATS, ValueFormat

JSON = writers(ListFormat())
ALL = tuple(dict.fromkeys(NAMES.values()))
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def lists(kind: Kind, names: list[str], value: bytes = b'{"items":[]}') -> Any:
    return SimpleNamespace(kind=kind, names=names, json=[value] * len(names))


def records(messages: list[bytes]) -> list[tuple[str, str, str | None]]:
    """The topic, key and value of each record, as the SQL takes them apart."""
    found = []
    for message in messages:
        lines = (line.partition(FIELD) for line in message.decode().split(LINE))
        newest = {key: value if field else None for key, field, value in lines}
        found += [(key[0], bytes.fromhex(key[1:]).decode(), v) for key, v in newest.items()]
    return found


@given(st.lists(texts, unique=True))
def test_any_id_comes_back(names: list[str]) -> None:
    assert records(list(written([lists(USER, names)], ["user"], JSON))) == [
        ("u", name, '{"items":[]}') for name in names
    ]
    assert records(list(erased(names, ["user"]))) == [("u", name, None) for name in names]


def test_shared_lists_have_the_keys_of_redis_and_a_topic_of_their_own() -> None:
    updates = [lists(ITEM, ["7"]), lists(POPULAR, [""]), lists(CATEGORY_POPULAR, ["tea"])]
    found = records(list(written([*updates, lists(USER, ["popular"])], ALL, JSON)))
    assert [record[:2] for record in found] == [
        ("s", "similar:7"),
        ("s", "popular"),
        ("s", "popular:tea"),
        ("u", "popular"),
    ]


def test_only_the_kinds_that_are_wanted() -> None:
    updates = [lists(ITEM, ["7"]), lists(KEPT, ["ann"]), lists(USER, ["ann"])]
    assert [key for _, key, _ in records(list(written(updates, ["similar"], JSON)))] == [
        "similar:7"
    ]
    assert [key for _, key, _ in records(list(written(updates, ALL, JSON)))] == ["similar:7", "ann"]
    assert list(erased(["ann"], ["similar"])) == []
    assert list(written([], ALL, JSON)) == list(erased([], ALL)) == []


def test_a_message_has_few_lines() -> None:
    names = [f"u{n}" for n in range(2 * MOST + 1)]
    messages = list(written([lists(USER, names)], ["user"], JSON))
    assert [message.count(FIELD.encode()) for message in messages] == [MOST, MOST, 1]
    assert [key for _, key, _ in records(messages)] == names


def test_the_newest_list_of_a_batch_is_its_last_record() -> None:
    updates = [lists(USER, ["ann", "bob"], b"1"), lists(USER, ["ann"], b"2")]
    assert dict(record[1:] for record in records(list(written(updates, ["user"], JSON)))) == {
        "ann": "2",
        "bob": "1",
    }


@pytest.mark.parametrize("name", VALUE_FORMATS)
def test_a_value_with_a_schema_is_in_hex_with_the_id_of_its_topic(name: ValueFormat) -> None:
    values = writers(ListFormat(format=name, own=3, shared=4))
    json = b'{"id":"a","at":1,"v":1,"source":"mf","items":[]}'
    updates = [lists(USER, ["ann"], json), lists(POPULAR, [""], json)]
    for record, number in zip(records(list(written(updates, ALL, values))), (3, 4), strict=True):
        value = bytes.fromhex(record[2] or "")
        assert value[:5] == b"\0" + number.to_bytes(4, "big") and len(value) > 5
