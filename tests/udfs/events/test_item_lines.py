"""Lines of a source of items alone are about items, whatever is on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.udfs.flink import Subtask
from udfs.events.batch import unpack
from udfs.events.item_changes import unpack_changes
from udfs.events.item_lines import MARK
from udfs.events.items.resolve import resolve_items
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.operators.flink import DEAD_LETTERS
from udfs.operators.parse import Parse

EVENT = '{"user":"ann","item":"7"}'


def run(parse: Parse, *lines: str) -> tuple[list[str], dict[str, Any], list[tuple[str, str]]]:
    """The users of the events, the items, and the reasons and places of dead letters."""
    users: list[str] = []
    items: dict[str, Any] = {}
    letters: list[tuple[str, str]] = []
    for key, value in Subtask(parse).process(0, (0, json.dumps(lines), 5)):
        if key is DEAD_LETTERS:
            letter = json.loads(value)
            letters.append((letter["reason"], letter["source"]))
        elif getattr(key, "tag_id", "") == "item learner":
            items |= {change.item: change.fields for change in unpack_changes(value[1])}
        elif key == 70 and value[:1] != b"N":
            users += unpack(value).users
    return users, items, letters


def parse_of(preset: str, source: str, **more: Any) -> Parse:
    settings = DecodeSettings(
        preset=resolve("millirec"), weights={"click": 1.0}, items=resolve_items(preset)
    )
    keys = {"user learner": [70], "item learner": [80]}
    return Parse(settings, keys, source, True, **more)


def test_lines_of_a_topic_of_items() -> None:
    place = f"{MARK}kafka:items:0:"
    lines = [
        f"0:1\n{EVENT}",
        f'{place}5\n{{"item":"a","title":"T"}}',
        f"{place}6\n{EVENT}",
        f"{place}7\n{{",
        '0:2\n{"kind":"item","item":"b"}',
        "0:3\n{",
    ]
    users, items, letters = run(parse_of("", "kafka:events", items="other"), *lines)
    assert users == ["ann"]
    assert items == {"a": {"title": "T"}, "7": {"attributes": {"user": "ann"}}, "b": {}}
    assert letters == [("not_json", "kafka:events:0:3"), ("not_json", "kafka:items:0:7")]


@pytest.mark.parametrize("source", ["", "kafka:events"])
def test_files_of_items_are_read_by_their_headers(tmp_path: Path, source: str) -> None:
    file = tmp_path / "items.csv"
    rows = ["id,title,colour", "a,T,red", "b,only two"]
    file.write_text("\n".join(rows))
    settings = DecodeSettings(
        preset=resolve("millirec"),
        weights={"click": 1.0},
        items=resolve_items("", format="csv", fields={"item": "id"}),
    )
    keys = {"user learner": [70], "item learner": [80]}
    parse = Parse(settings, keys, source, True, {str(file): "/true/items.csv"}, items="files")
    events = f"{'0:7' if source else tmp_path / 'events.jsonl'}\n{EVENT}"
    users, items, letters = run(parse, events, *(f"{MARK}{file}\n{row}" for row in rows))
    assert users == ["ann"]
    assert items == {"a": {"title": "T", "attributes": {"colour": "red"}}}
    assert letters == [("wrong_columns", "/true/items.csv")]


def test_an_event_source_without_positions() -> None:
    lines = [f"\n{EVENT}", f'{MARK}datagen\n{{"item":"a"}}', "\n{"]
    users, items, letters = run(parse_of("", "filesystem", items="other"), *lines)
    assert (users, items, letters) == (["ann"], {"a": {}}, [("not_json", "filesystem")])
