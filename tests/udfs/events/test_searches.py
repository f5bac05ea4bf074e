"""Searches: what is one, what is read of it, and what is wrong with others."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import SourceError
from udfs.events.batch import make_batch, pack, user_shard
from udfs.events.messages import by_user
from udfs.events.resolve import resolve
from udfs.events.searches import (
    MOST_CHARACTERS,
    Search,
    SearchReader,
    is_search,
    is_searches,
    pack_searches,
    unpack_searches,
)
from udfs.events.settings import DecodeSettings

NOW = 1_795_548_161_115
READER = SearchReader(DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0}))


def read(*lines: str) -> tuple[list[Search], list[tuple[str, int]]]:
    found = READER.decode(lines, NOW)
    assert found.received == len(lines)
    assert found.ignored == len(found.searches)
    return found.searches, [(bad.reason, bad.index) for bad in found.rejected]


def test_a_search_is_of_its_type_and_names_no_item() -> None:
    assert is_search('{"user":"ann","type":"search","query":"tea"}')
    assert is_search('{"user":"ann","type":"search"}')  # so that what is missing is told
    assert not is_search('{"user":"ann","type":"search","item":"i1"}')
    assert not is_search('{"user":"ann","type":"click","item":"search","query":"\\"search\\""}')
    assert not is_search('{"user":"search", "type')
    assert not is_search('["search"]')


def test_users_words_and_times_are_read() -> None:
    searches, rejected = read(
        '{"user":"ann","type":"search","query":" red  kettle ","ts":1795548161}',
        '{"user":7,"type":"search","query":"' + "x" * 300 + '"}',
    )
    assert searches == [
        Search("ann", "red  kettle", 1_795_548_161_000),
        Search("7", "x" * MOST_CHARACTERS, NOW),
    ]
    assert rejected == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"query": "tea"}, "missing_user"),
        ({"user": "", "query": "tea"}, "empty_user"),
        ({"user": [1], "query": "tea"}, "wrong_type"),
        ({"user": "u" * 600, "query": "tea"}, "id_too_long"),
        ({"user": "ann"}, "missing_query"),
        ({"user": "ann", "query": "  "}, "empty_query"),
        ({"user": "ann", "query": 7}, "wrong_type"),
        ({"user": "ann", "query": "\ufffd"}, "not_utf8"),
        ({"user": "ann", "query": "tea", "ts": "soon"}, "bad_time"),
        ({"user": "ann", "query": "tea", "ts": 10}, "time_out_of_range"),
    ],
)
def test_what_cannot_be_used_is_told(fields: dict[str, object], reason: str) -> None:
    good = json.dumps({"user": "bob", "type": "search", "query": "tea"})
    searches, rejected = read(good, json.dumps({"type": "search", **fields}))
    assert [one.user for one in searches] == ["bob"]
    assert rejected == [(reason, 1)]


@given(st.lists(st.text(max_size=30) | st.binary(max_size=30).map(repr), max_size=5))
def test_no_line_makes_it_raise(lines: list[str]) -> None:
    read(*lines)
    for line in lines:
        is_search(line + '"search"')


def test_each_shard_gets_the_searches_of_its_users() -> None:
    lines = [json.dumps({"user": f"u{n}", "type": "search", "query": "tea"}) for n in range(20)]
    parts = dict(by_user(READER.decode(lines, NOW).searches, 4, pack_searches))
    assert set(parts) <= set(range(4))
    for shard, data in parts.items():
        assert is_searches(data)
        assert {user_shard(one.user, 4) for one in unpack_searches(data)} == {shard}
    assert sum(len(unpack_searches(data)) for data in parts.values()) == 20


def test_bytes_are_told_from_batches_and_checked() -> None:
    assert not is_searches(pack(make_batch([], [], [], [], [], [], 0)))
    data = pack_searches([Search("ann", "tea", NOW)])
    assert unpack_searches(data) == [Search("ann", "tea", NOW)]
    with pytest.raises(SourceError, match="form 9, this millirec reads form 1"):
        unpack_searches(data[:1] + b"\x92\x09\x90")
    with pytest.raises(SourceError, match="cannot be read"):
        unpack_searches(data[:-1])


@pytest.mark.parametrize("format", ["json", "csv"])
def test_times_are_read_as_those_of_events_in_json(format: str) -> None:
    preset = resolve("millirec", format=format, time_format="%d/%m/%Y %H:%M")
    reader = SearchReader(DecodeSettings(preset=preset, weights={"click": 1.0}))
    times = "01/05/2024 12:00", "2024-05-01T13:00:00Z"
    lines = [f'{{"user":"ann","type":"search","query":"tea","ts":"{one}"}}' for one in times]
    found = reader.decode([*lines, lines[0].replace("01/05", "never ")], NOW)
    noon = 1_714_564_800_000
    assert [one.ts for one in found.searches] == [noon if format == "json" else noon + 3_600_000]
    assert len(found.rejected) == 2
    hinted = ["source.time_format" in bad.detail for bad in found.rejected]
    assert hinted == [format == "json"] * 2
