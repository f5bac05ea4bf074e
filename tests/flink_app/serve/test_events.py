"""What becomes of the events in a body, whatever it is."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.serve.events import JSON, LINES, Judge, split
from flink_app.serve.problems import Problem

NOW = 1_700_000_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
FIELDS = st.sampled_from(["user", "item", "type", "ts", "value", "id", "session", "other"])
EVENTS = st.lists(st.dictionaries(FIELDS, VALUES, max_size=6) | VALUES, min_size=1, max_size=5)
JUDGE = Judge(load(None, [], {}).config)


@given(EVENTS, st.booleans(), st.sampled_from([None, 2]))
def test_each_event_is_kept_as_it_was_or_refused_with_a_reason(
    events: list[Any], as_lines: bool, indent: int | None
) -> None:
    encoded = [msgspec.json.encode(event) for event in events]
    if as_lines:
        lines = split(b"\n".join(encoded), LINES[0], 100)
    else:
        body = msgspec.json.format(b"[" + b",".join(encoded) + b"]", indent=indent or 0)
        lines = split(body, JSON, 100)
    judged = JUDGE.judge(lines, NOW)
    refused = {one.index for one in judged.rejected}
    assert len(judged.lines) + len(refused) == len(events)
    kept = [event for index, event in enumerate(events) if index not in refused]
    for line, user, event in zip(judged.lines, judged.users, kept, strict=True):
        assert b"\n" not in line and b"\r" not in line
        written = msgspec.json.decode(line)
        assert user == str(event["user"])
        added = {"id", "ts"} if isinstance(event, dict) else set()
        for name in event.keys() - added:
            assert written[name] == event[name]
        assert written["id"] not in (None, "")
        assert written["ts"] is not None
        for name in added & event.keys():
            if event[name] not in (None, ""):
                assert written[name] == event[name]
    # What is written is judged the same again.
    assert not JUDGE.judge(judged.lines, NOW).rejected


@given(st.binary(max_size=40), st.sampled_from([JSON, *LINES]))
def test_no_body_makes_it_fail_otherwise_than_by_a_problem(body: bytes, kind: str) -> None:
    try:
        judged = JUDGE.judge(split(body, kind, 100), NOW)
    except Problem as problem:
        assert problem.status in (400, 422)
    else:
        assert judged.lines or judged.rejected


def test_the_words_of_a_nested_mapping() -> None:
    overrides = ["source.preset=segment", "source.fields.ts=context.at"]
    judge = Judge(load(None, overrides, {}).config)
    line = judge.event({"user": "u", "item": "i", "type": "view", "ts": 5, "id": None})
    assert msgspec.json.decode(line) == {
        "userId": "u", "properties": {"product_id": "i"}, "event": "view", "context": {"at": 5},
    }  # fmt: skip
    # A time inside an object is not added, an id is.
    bare = judge.event({"user": "u", "item": "i", "type": "view"})
    [written] = judge.judge([bare], NOW).lines
    assert set(msgspec.json.decode(written)) == {"userId", "properties", "event", "messageId"}


def test_content_types() -> None:
    assert split(b"{}", "Application/JSON; charset=utf-8", 1) == [b"{}"]
    with pytest.raises(Problem, match="content type"):
        split(b"{}", "text/plain", 1)
