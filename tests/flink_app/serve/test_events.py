"""What becomes of the events in a body, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.serve.bodies import JSON, LINES
from flink_app.serve.events import Judge, Judged, split
from flink_app.serve.problems import Problem
from udfs.events.decode import Decoder

NOW = 1_700_000_000_000
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
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


def members(line: bytes) -> dict[str, Any]:
    """The object on a line, each key of which, at any depth, is there once."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), line
        return dict(pairs)

    found: dict[str, Any] = json.loads(line, object_pairs_hook=once)
    return found


def written(line: bytes, *overrides: str) -> dict[str, Any]:
    """What a judge makes of one line."""
    [kept] = Judge(load(None, list(overrides), {}).config).judge([line], NOW).lines
    return members(kept)


@given(st.lists(st.tuples(FIELDS, VALUES), max_size=9), VALUES)
def test_each_key_is_written_once_and_the_last_value_counts(
    pairs: list[tuple[str, Any]], inner: Any
) -> None:
    pairs = [("user", "u"), ("item", "i"), *pairs]
    encoded = [msgspec.json.encode(name) + b":" + msgspec.json.encode(v) for name, v in pairs]
    line = b"{" + b",".join(encoded) + b"}"
    for kept in JUDGE.judge([line], NOW).lines:
        found, sent = members(kept), dict(pairs)
        assert found["id"] not in (None, "") and found["ts"] not in (None, "")
        for name, value in sent.items():
            if value not in (None, ""):
                assert found[name] == value


@pytest.mark.parametrize("nothing", [b"null", b'""'])
@pytest.mark.parametrize("key", [b"id", rb"\u0069d"])
def test_an_id_that_is_none_is_replaced(nothing: bytes, key: bytes) -> None:
    sent = b'{"%b" : %b,"user":"u","item":"i","ts":null}' % (key, nothing)
    found = written(sent)
    assert found["id"].startswith("http-") and found["ts"] == NOW
    twice = sent[:-1] + b',"id":"e1","ts":5,"%b":%b,"ts":null}' % (key, nothing)
    found = written(twice)
    assert found["id"].startswith("http-") and found["ts"] == NOW


def test_of_two_values_the_job_and_the_line_take_the_last() -> None:
    line = b'{"id":"a","user":"u","user":"v","item":"i","id":"b","ts":1,"ts":1600000000000}'
    judged = JUDGE.judge([line], NOW)
    assert judged.users == ["v"]
    assert members(judged.lines[0]) == {"id": "b", "user": "v", "item": "i", "ts": 1600000000000}


def test_keys_inside_objects_are_there_once_too_and_numbers_stay_as_they_are() -> None:
    line = (
        b'{"userId":"u","event":"Product Viewed","messageId":null,"timestamp":null,'
        b'"properties":{"product_id":"p","product_id":"q","price":1.50},'
        b'"more":[{"n":12345678901234567890123,"n":1e400},{"a":"{"}]}'
    )
    [kept] = Judge(load(None, ["source.preset=segment"], {}).config).judge([line], NOW).lines
    found = members(kept)
    assert found["properties"] == {"product_id": "q", "price": 1.5}
    assert found["messageId"] and found["timestamp"] == NOW
    assert b'"price":1.50}' in kept and b'[{"n":1e400},{"a":"{"}]' in kept


def test_lines_of_several_events_are_passed_on_whole() -> None:
    judge = Judge(load(None, ["source.preset=segment"], {}).config)
    head = b'{"type":"track","event":"Order Completed","messageId":"m","timestamp":1600000000000,'
    order = head + b'"userId":"u","properties":{"products":[{"product_id":"p"},{"product_id":[]}]}}'
    page = b'{"type":"page","anonymousId":"a"}'
    nobody = head + b'"properties":{"products":[{"product_id":"p"},{"product_id":"q"}]}}'
    judged = judge.judge([page, order, nobody, b"[" + order + b"]"], NOW)
    assert (judged.users, judged.ignored) == (["u"], 1)
    assert members(judged.lines[0]) == members(order)
    assert [(one.index, one.element, one.reason) for one in judged.rejected] == [
        (1, 1, "wrong_type"), (2, 0, "missing_user"), (2, 1, "missing_user"),
        (3, -1, "not_an_object"), (3, 1, "wrong_type"),
    ]  # fmt: skip
    assert judge.judge([page], NOW) == Judged([], [], [], 1)


def test_a_second_place_of_a_field_is_looked_at_too() -> None:
    line = b'{"type":"track","event":"Product Viewed","anonymousId":"a","originalTimestamp":%b,'
    line += b'"properties":{"product_id":"p"}}'
    for time, shown in ((b"1600000000000", None), (b"null", NOW)):
        found = written(line % time, "source.preset=segment")
        assert found.get("timestamp") == shown and found["messageId"]


@pytest.mark.parametrize("preset", ["millirec", "segment", "otto", "ga4", "shopify", "snowplow"])
def test_an_event_of_millirecs_fields_is_read_back(preset: str) -> None:
    config = load(None, [f"source.preset={preset}"], {}).config
    judge, decoder = Judge(config), Decoder(decode_settings(config))
    line = judge.event({"user": "u", "item": "i", "type": "view", "ts": 1_600_000_000_000})
    found = decoder.decode([line.decode()], NOW)
    assert (found.users, found.items, found.ts.tolist()) == (["u"], ["i"], [1_600_000_000_000])


def test_gorses_form_with_nulls() -> None:
    line = b'{"FeedbackType":"star","UserId":"b","ItemId":"m","Timestamp":null,"Id":null}'
    found = written(line, "source.preset=gorse", "source.fields.id=Id")
    assert found["Timestamp"] == NOW and found["Id"].startswith("http-")


@pytest.mark.parametrize(
    "named",
    [
        b'"kind":"experiment"',
        b'"k\\u0069nd":"exper\\u0069ment"',
        b'"kind":"x","kind":"experiment"',
    ],
)
def test_visitors_neither_start_nor_end_experiments(named: bytes) -> None:
    line = b'{"name":"a","end":true,"user":"ann","item":"a",' + named + b"}"
    judged = JUDGE.judge([line], NOW)
    assert not judged.lines and [one.reason for one in judged.rejected] == ["not_an_event"]
    assert JUDGE.judge([line + b"\n", line.replace(b"ment", b"mint")], NOW).lines != []


def test_nor_where_another_field_names_kinds() -> None:
    judge = Judge(load(None, ["source.preset=metarank"], {}).config)
    event = b'{"event":"interaction","id":"1","user":"ann","item":"a","type":"click","end":true}'
    assert len(judge.judge([event], NOW).lines) == 1
    assert not judge.judge([event.replace(b"interaction", b"experiment")], NOW).lines


def test_objects_nested_too_deeply_are_a_problem() -> None:
    for depth in (100, 300, 500, 900, 990):
        deep = b'{"a":' * depth + b"1" + b"}" * depth
        try:
            judged = JUDGE.judge([b'{"user":"u","item":"i","x":%b}' % deep], NOW)
        except Problem as problem:
            assert problem.slug == "not-json"
        else:
            assert len(judged.lines) + len(judged.rejected) == 1


@pytest.mark.parametrize("before", ["\ufeff", " \ufeff", "\ufeff \t", " \ufeff\ufeff "])
def test_a_byte_order_mark_before_an_event_is_left_out(before: str) -> None:
    [line] = split(f'{before}{{"user":"u","item":"i"}}\r\n'.encode(), LINES[0], 10)
    assert written(line)["user"] == "u"


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


def test_searches_are_accepted_among_events_and_completed() -> None:
    lines = [
        b'{"user":"ann","item":"i1","type":"click"}',
        b'{"user":"bob","type":"search","query":"red kettle"}',
        b'{"user":"bob","type":"search","query":" "}',
        b'{"user":"cat","type":"click"}',
        b'{"user":"dan","type":"search","query":"tea","id":"s1","ts":1700000000}',
    ]
    judged = JUDGE.judge(lines, NOW)
    assert judged.users == ["ann", "bob", "dan"]
    assert [(one.index, one.reason) for one in judged.rejected] == [
        (2, "empty_query"),
        (3, "missing_item"),
    ]
    assert judged.ignored == 0
    _, search, own = map(msgspec.json.decode, judged.lines)
    assert (search["query"], search["ts"]) == ("red kettle", NOW)
    assert search["id"].startswith("http-")
    assert (own["id"], own["ts"]) == ("s1", 1_700_000_000)
