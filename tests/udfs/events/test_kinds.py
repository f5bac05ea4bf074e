"""Kinds of lines: one row of the table, and parse reads, keys and routes its lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import pytest

from tests.udfs.flink import Subtask
from udfs.accounts import unpack_account
from udfs.errors import ConfigError
from udfs.events.batch import unpack
from udfs.events.item_changes import (
    ItemChange,
    is_notice,
    item_shards,
    unpack_changes,
    unpack_notice,
)
from udfs.events.items.resolve import resolve_items
from udfs.events.kinds import KINDS, Kind, Route, by_kind, register
from udfs.events.raw_columns import Rejected
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.operators.flink import DEAD_LETTERS, STATS
from udfs.operators.parse import Parse, output_to

SETTINGS = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0}, default_type="click")


class Notes(msgspec.Struct):
    words: list[str]
    rejected: list[Rejected]
    ignored: int = 0

    @property
    def received(self) -> int:
        return len(self.words) + len(self.rejected)


class NoteReader:
    def __init__(self, settings: DecodeSettings) -> None:
        assert settings is SETTINGS

    def decode(self, lines: Sequence[str], now_ms: int, files: Sequence[str] = ()) -> Notes:
        words = [json.loads(line).get("word") for line in lines]
        bad = [Rejected("no_word", "it has none", n) for n, word in enumerate(words) if not word]
        return Notes([word for word in words if word], bad)


def note_parts(notes: Notes, shards: int, opened: int) -> Iterable[tuple[int, bytes]]:
    for word in notes.words:
        yield len(word) % shards, f"{word} {opened}".encode()


NOTE = Kind("note", NoteReader, (Route("notes", note_parts),))


def test_a_search_is_known_by_its_type_and_by_having_no_item() -> None:
    lines = [
        '{"user":"ann","type":"search","query":"tea"}',
        '{"user":"ann","type":"search","item":"i1"}',
        '{"kind":"item","item":"i1","title":"\\"search\\""}',
    ]
    assert by_kind(lines) == {"search": [0], "interaction": [1], "item": [2]}


@pytest.fixture
def note() -> Iterator[None]:
    register(NOTE)
    yield
    del KINDS["note"]


def event(user: str, **more: str) -> str:
    return json.dumps({"user": user, "item": "7", **more})


LINES = [
    event("ann"), '{"kind": "note", "word": "two"}', "{", event("bob", kind="other"),
    '{"kind": "note"}', event("eve", kind="interaction"), r'{"kind": 5, "x": "\ud83d"}',
]  # fmt: skip


def test_a_line_of_no_known_kind_is_an_interaction() -> None:
    assert by_kind(LINES) == {"interaction": [*range(7)]}
    assert by_kind([event("ann"), "{"]) == {"interaction": range(2)}
    flink = Subtask(Parse(SETTINGS, {"user learner": [70], "item learner": [9]}, "", False))
    out = flink.process(0, (0, json.dumps(LINES), 5))
    assert [unpack(data).users for key, data in out if key == 70] == [["ann", "bob", "eve"]]


@pytest.mark.usefixtures("note")
def test_lines_are_routed_by_kind() -> None:
    assert by_kind(LINES) == {"interaction": [0, 2, 3, 5, 6], "note": [1, 4]}
    keys = {"user learner": [70], "item learner": [9], "notes": [80, 81]}
    flink = Subtask(Parse(SETTINGS, keys, "topic", True))
    tagged = [f"p{n}\n{line}" for n, line in enumerate(LINES)]
    out = flink.process(0, (0, json.dumps(tagged), 5))
    assert [unpack(data).users for key, data in out if key == 70] == [["ann", "bob", "eve"]]
    others = [(k, v) for k, v in out if k not in (70, STATS, DEAD_LETTERS)]
    assert [(tag.tag_id, value) for tag, value in others] == [("notes", (81, b"two 5"))]
    assert output_to("notes").tag_id == "notes"
    letters = [json.loads(value) for key, value in out if key is DEAD_LETTERS]
    assert [(one["reason"], one["source"], one["line"]) for one in letters] == [
        ("not_json", "topic:p2", "{"),
        ("missing_item", "topic:p6", LINES[6]),
        ("no_word", "topic:p4", LINES[4]),
    ]
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert (account.received, account.rejected) == (7, 3)


def test_a_line_about_an_item_goes_to_its_owner_and_a_notice_to_every_user_shard() -> None:
    keys = {"user learner": [70, 71, 72], "item learner": [80, 81, 82, 83]}
    flink = Subtask(Parse(SETTINGS, keys, "topic", False))
    lines = [
        '{"kind":"item","item":"kettle","ts":1700000000000,"title":"Kettle"}',
        event("ann"),
        '{"kind":"item","item":"kettle","ts":1700000000001,"available":"perhaps"}',
    ]
    out = flink.process(0, (0, json.dumps(lines), 5))
    owned = [value for tag, value in out if getattr(tag, "tag_id", "") == "item learner"]
    change = ItemChange("kettle", 1700000000000, {"title": "Kettle"})
    assert [(key, unpack_changes(data)) for key, data in owned] == [
        (80 + item_shards(["kettle"], 4)[0], [change])
    ]
    notices = [(key, data) for key, data in out if key in (70, 71, 72) and is_notice(data)]
    assert [key for key, _ in notices] == [70, 71, 72]
    assert {str(unpack_notice(data)) for _, data in notices} == {"[('kettle', 1700000000000)]"}
    letters = [json.loads(value) for key, value in out if key is DEAD_LETTERS]
    assert [one["line"] for one in letters] == [lines[2]]
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert (account.received, account.rejected) == (3, 1)


@pytest.mark.usefixtures("note")
def test_an_operator_without_keys_is_reported() -> None:
    with pytest.raises(ConfigError, match="'note' go to the operator 'notes'"):
        Parse(SETTINGS, {"user learner": [70], "item learner": [9]}, "", False)


@pytest.mark.usefixtures("note")
def test_a_kind_is_registered_only_once() -> None:
    with pytest.raises(ConfigError, match="'note' already"):
        register(NOTE)


def test_all_objects_on_a_line_have_one_kind() -> None:
    item, other = '{"kind":"item","item":"a"}', event("ann")
    lines = [f"[{item},{item}]", f"[{item},{other}]", '{"other":"item","kind":""}', f" {item}"]
    assert by_kind(lines) == {"item": [0, 3], "interaction": [1, 2]}


def test_a_preset_may_name_kinds_elsewhere() -> None:
    lines = ['{"event":"item","item":"a"}', '{"event":"interaction"}', '{"event":"user"}']
    lines += ['{"kind":"item","item":"a"}']
    assert by_kind(lines, "event") == {"item": [0, 3], "interaction": [1, 2]}
    assert by_kind(lines) == {"interaction": [0, 1, 2], "item": [3]}


def test_metarank_has_items_among_its_interactions() -> None:
    settings = DecodeSettings(
        preset=resolve("metarank"),
        weights={"click": 1.0, "impression": 0.0},
        items=resolve_items("", "metarank"),
    )
    parse = Parse(settings, {"user learner": [70], "item learner": [80]}, "topic", False)
    lines = [
        '{"event":"item","id":"e1","timestamp":"1599391467000","item":"i",'
        '"fields":[{"name":"title","value":"Cat"}]}',
        '{"event":"interaction","id":"e2","timestamp":"1599391467000","user":"ann","type":"click",'
        '"item":"i"}',
        '{"event":"user","id":"e3","timestamp":"1599391467000","user":"ann","fields":[]}',
    ]
    out = Subtask(parse).process(0, (0, json.dumps(lines), 5))
    owned = [value for tag, value in out if getattr(tag, "tag_id", "") == "item learner"]
    assert [change.fields for _, data in owned for change in unpack_changes(data)] == [
        {"title": "Cat"}
    ]
    events = [unpack(data) for key, data in out if key == 70 and not is_notice(data)]
    assert [batch.users for batch in events] == [["ann"]]
    assert not [key for key, _ in out if key is DEAD_LETTERS]
