"""Kinds of lines: one row of the table, and parse reads, keys and routes its lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

import msgspec
import numpy as np
import pytest

from tests.udfs.flink import Subtask
from udfs.accounts import unpack_account
from udfs.errors import ConfigError
from udfs.events.batch import unpack
from udfs.events.kinds import KINDS, Kind, Shards, by_kind, register
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


def note_shards(notes: Notes, shards: int) -> Shards:
    return np.array([len(word) % shards for word in notes.words], np.int64)


def note_bytes(notes: Notes, shard_of: Shards, opened: int) -> Iterable[tuple[int, bytes]]:
    for word, shard in zip(notes.words, shard_of.tolist(), strict=True):
        yield shard, f"{word} {opened}".encode()


NOTE = Kind("note", NoteReader, note_shards, note_bytes, "notes")


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


def test_without_other_kinds_every_line_is_an_interaction() -> None:
    assert by_kind(LINES) == {"interaction": range(7)}
    flink = Subtask(Parse(SETTINGS, {"user learner": [70]}, "", False))
    out = flink.process(0, (0, json.dumps(LINES), 5))
    assert [unpack(data).users for key, data in out if key == 70] == [["ann", "bob", "eve"]]


@pytest.mark.usefixtures("note")
def test_lines_are_routed_by_kind() -> None:
    assert by_kind(LINES) == {"interaction": [0, 2, 3, 5, 6], "note": [1, 4]}
    keys = {"user learner": [70], "notes": [80, 81]}
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
        ("missing_user", "topic:p6", LINES[6]),
        ("no_word", "topic:p4", LINES[4]),
    ]
    (account,) = (unpack_account(value) for key, value in out if key is STATS)
    assert (account.received, account.rejected) == (7, 3)


@pytest.mark.usefixtures("note")
def test_an_operator_without_keys_is_reported() -> None:
    with pytest.raises(ConfigError, match="'note' go to the operator 'notes'"):
        Parse(SETTINGS, {"user learner": [70]}, "", False)


@pytest.mark.usefixtures("note")
def test_a_kind_is_registered_only_once() -> None:
    with pytest.raises(ConfigError, match="'note' already"):
        register(NOTE)
