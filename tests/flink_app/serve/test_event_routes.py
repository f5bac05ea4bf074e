"""Events over HTTP: judged as the job would, and where the job reads them before they are
acknowledged."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from flink_app.config import load
from flink_app.data import sinks
from flink_app.graph.event_settings import decode_settings
from flink_app.serve import services
from flink_app.serve.event_routes import _EVENT, example
from flink_app.serve.events import Judge
from flink_app.writers.kafka import KafkaWriter
from tests.flink_app.serve.servers import serving
from udfs.events.decode import Decoder
from udfs.events.kinds import KINDS, by_kind
from udfs.events.presets import PRESETS


def lines(inbox: Path) -> list[str]:
    """What lies in the inbox, in order; only whole files are seen by the job."""
    files = sorted(path for path in inbox.iterdir() if not path.name.startswith("."))
    return [line for path in files for line in path.read_text(encoding="utf-8").splitlines()]


def written(inbox: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in lines(inbox)]


def test_an_event_is_in_the_inbox_when_it_is_acknowledged(
    client: httpx.Client, inbox: Path
) -> None:
    event = {"user": "u", "item": "i", "type": "click", "ts": 1_700_000_000_000, "id": "e1"}
    answer = client.post("/events", json=event)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    assert written(inbox) == [event]


def test_what_is_missing_is_added_so_that_a_second_write_changes_nothing(
    client: httpx.Client, inbox: Path
) -> None:
    before = time.time_ns() // 1_000_000
    client.post("/events", json=[{"user": 1, "item": 2}, {"user": "u", "item": "i", "id": None}])
    first, second = written(inbox)
    assert (first["user"], first["item"]) == (1, 2)
    assert before <= first["ts"] <= time.time_ns() // 1_000_000
    assert first["id"] and second["id"] and first["id"] != second["id"]


@pytest.mark.parametrize("kind", ["one", "many", "lines"])
def test_no_line_has_a_key_twice(client: httpx.Client, inbox: Path, kind: str) -> None:
    event = '{"user":"u","item":"i","id":null,"ts":null}'
    body = {"one": event, "many": f"[{event},{event}]", "lines": f"{event}\n{event}\n"}[kind]
    media = "application/x-ndjson" if kind == "lines" else "application/json"
    client.post("/events", content=body, headers={"content-type": media})
    found = lines(inbox)
    assert len(found) == (1 if kind == "one" else 2)
    assert all(line.count('"id":') == line.count('"ts":') == 1 for line in found)


def test_lines_of_json(client: httpx.Client, inbox: Path) -> None:
    body = '\ufeff{"user":"a","item":"b","id":"1","ts":1}\n\n  {"user":"c",\r"item":"d"}\r\n'
    headers = {"content-type": "application/x-ndjson; charset=utf-8"}
    answer = client.post("/events", content=body.encode(), headers=headers)
    assert answer.json()["rejected"][0]["reason"] == "time_out_of_range"
    assert [event["user"] for event in written(inbox)] == ["c"]
    assert "\r" not in lines(inbox)[0]


def test_an_event_over_several_lines_becomes_one(client: httpx.Client, inbox: Path) -> None:
    body = msgspec.json.format(b'{"user":"a","item":"b","id":"1","ts":1700000000000}', indent=2)
    client.post("/events", content=body, headers={"content-type": "application/json"})
    assert written(inbox) == [{"user": "a", "item": "b", "id": "1", "ts": 1_700_000_000_000}]


def test_reasons_are_those_of_the_job(client: httpx.Client, inbox: Path) -> None:
    events: list[Any] = [
        {"user": "u", "item": "i"}, {"user": "u"}, {"item": "i"}, {"user": "", "item": "i"}, 7,
        {"user": "u", "item": []}, {"user": "u", "item": "i", "type": "stare"},
        {"user": "u", "item": "i", "ts": "soon"}, {"user": "u", "item": "i" * 513},
        {"user": "u", "item": "i", "type": "rating"},
    ]  # fmt: skip
    answer = client.post("/events", json=events).json()
    decoder = Decoder(decode_settings(load(None, [], {}).config))
    judged = decoder.decode(
        [msgspec.json.encode(event).decode() for event in events], time.time_ns() // 1_000_000
    )
    assert answer["accepted"] == 1
    assert [(one["index"], one["reason"], one["detail"]) for one in answer["rejected"]] == [
        (one.index, one.reason, one.detail) for one in judged.rejected
    ]
    assert len(answer["rejected"]) == 9
    assert len(lines(inbox)) == 1


def test_where_no_event_is_accepted_it_is_a_problem(client: httpx.Client, inbox: Path) -> None:
    answer = client.post("/events", json={"user": "u"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["rejected"][0]["reason"] == "missing_item"
    assert lines(inbox) == []


@pytest.mark.parametrize(
    ("body", "kind", "status", "slug"),
    [
        (b"{", "application/json", 400, "not-json"),
        (b"[]", "application/json", 422, "no-events"),
        (b"", "application/x-ndjson", 422, "no-body"),
        (b'{"user":"\xff","item":"i"}', "application/x-ndjson", 400, "not-utf8"),
        (b"[" + b",".join([b"1"] * 101) + b"]", "application/json", 413, "batch-too-large"),
        (b"user=u&item=i", "application/x-www-form-urlencoded", 415, "unsupported-type"),
        (b"{}", "", 415, "unsupported-type"),
        (b"[" * 100_000, "application/json", 400, "not-json"),
    ],
)
def test_a_body_that_holds_no_events(
    client: httpx.Client, body: bytes, kind: str, status: int, slug: str
) -> None:
    answer = client.post("/events", content=body, headers={"content-type": kind})
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:millirec:problem:{slug}")


def test_events_of_weight_0_are_left_to_the_job(redis_url: str, inbox: Path) -> None:
    where = "source.kind=directory", f"source.paths={inbox}"
    with serving(redis_url, *where, "events.zero_weight=ignore") as client:
        event = {"user": "u", "item": "i", "type": "impression"}
        assert client.post("/events", json=event).json()["accepted"] == 1


def test_another_systems_events_are_completed_in_its_own_words(redis_url: str, inbox: Path) -> None:
    where = "source.kind=directory", f"source.paths={inbox}", "source.preset=segment"
    with serving(redis_url, *where) as client:
        event = {"userId": "u", "event": "Product Viewed", "properties": {"product_id": "p"}}
        assert client.post("/events", json=event).json()["accepted"] == 1
    [kept] = written(inbox)
    assert kept["properties"] == {"product_id": "p"}
    assert kept["messageId"] and kept["timestamp"]


@pytest.mark.parametrize("preset", ["movielens", "tianchi", "millirec", "mind"])
def test_a_job_that_reads_csv_gets_events_in_millirecs_own_form(
    redis_url: str, inbox: Path, preset: str
) -> None:
    csv = ["source.preset=" + preset, "source.format=csv"]
    where = *csv, "source.kind=directory", f"source.paths={inbox}"
    events: list[dict[str, Any]] = [
        {"user": "u,1", "item": 'i"2', "type": "click", "rec": "7-1", "id": "one"},
        {"user": "u", "item": "i", "type": "no such type"},
        {"user": "u", "type": "search", "query": "tea"},
        {"kind": "item", "item": "i", "title": "Tea"},
    ]
    with serving(redis_url, *where) as client:
        answer = client.post("/events", json=events).json()
        assert (answer["accepted"], [one["index"] for one in answer["rejected"]]) == (3, [1])
    kept = written(inbox)
    assert [one.get("kind") for one in kept] == ["event", None, "item"]
    assert by_kind(lines(inbox)) == {"event": [0], "search": [1], "item": [2]}
    reader = KINDS["event"].reader(decode_settings(load(None, csv, {}).config))
    found: Any = reader.decode(lines(inbox)[:1], time.time_ns() // 1_000_000)
    assert (found.users, found.items, found.ids) == (["u,1"], ['i"2'], ["one"])
    assert (found.column("recs"), found.rejected) == (["7-1"], [])


@pytest.mark.parametrize("preset", [n for n, one in PRESETS.items() if one.format == "json"])
def test_the_example_is_in_the_words_of_the_preset(preset: str) -> None:
    judge = Judge(load(None, [f"source.preset={preset}"], {}).config)
    shown = example(judge)
    if shown != "@event.json":
        judged = judge.judge([shown.encode()], time.time_ns() // 1_000_000)
        assert (judged.users, judged.rejected) == (["alice"], [])


@pytest.mark.parametrize(
    "overrides",
    [
        ["source.kind=files"],
        ["source.kind=directory", "source.format=csv", "source.encoding=latin-1"],
        ["source.kind=kafka", "source.encoding=utf-16"],
    ],
)
def test_a_server_that_cannot_write_events_says_why(redis_url: str, overrides: list[str]) -> None:
    with serving(redis_url, *overrides, "source.paths=somewhere") as client:
        answer = client.post("/events", json={"user": "u", "item": "i"})
        assert (answer.status_code, answer.json()["type"]) == (501, "urn:millirec:problem:no-inbox")
        assert "source." in answer.json()["detail"]
        assert client.get("/health/ready").json()["events"] == "off"


def test_events_that_cannot_be_written_are_not_acknowledged(
    client: httpx.Client, inbox: Path
) -> None:
    inbox.rmdir()
    answer = client.post("/events", json={"user": "u", "item": "i"})
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:millirec:problem:not-durable")
    assert client.get("/health/ready").status_code == 503
    inbox.mkdir()
    assert client.post("/events", json={"user": "u", "item": "i"}).status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_a_broker_that_is_away_is_no_hang(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sinks, services):
        monkeypatch.setattr(module, "DURABLE_S", 0.2)
    where = "source.kind=kafka", "source.brokers=127.0.0.1:1"
    with serving(redis_url, *where) as client:
        answer = client.post("/events", json={"user": "u", "item": "i"})
        assert answer.json()["type"] == "urn:millirec:problem:not-durable"


def test_events_go_to_kafka_with_their_user_as_the_key(redis_url: str) -> None:
    mock = KafkaWriter("", "unused", {"test.mock.num.brokers": 1})  # librdkafka's own broker
    broker = next(iter(mock._producer.list_topics(timeout=30).brokers.values()))
    where = f"{broker.host}:{broker.port}"
    options = "source.kind=kafka", f"source.brokers={where}", "source.topic=clicks"
    with serving(redis_url, *options) as client:
        for _ in range(2):  # the second time by the producer that is there
            events = [{"user": 17, "item": "a"}, {"user": "zoë", "item": "b"}, {"user": "zoë"}]
            assert client.post("/events", json=events).json()["accepted"] == 2
    consumer = Consumer({"bootstrap.servers": where, "group.id": "test"})
    partitions = consumer.list_topics("clicks", timeout=30).topics["clicks"].partitions
    consumer.assign([TopicPartition("clicks", number, 0) for number in partitions])
    found = consumer.consume(4, timeout=30)
    consumer.close()
    assert sorted(message.key() for message in found) == [
        b"17",
        b"17",
        b"zo\xc3\xab",
        b"zo\xc3\xab",
    ]
    sent = [msgspec.json.decode(message.value()) for message in found]
    assert len({event["id"] for event in sent}) == 4


def test_events_are_counted(client: httpx.Client) -> None:
    client.post("/events", json=[{"user": "u", "item": "i"}, {"user": "u"}])
    text = client.get("/metrics").text
    assert "millirec_events_accepted_total 1.0" in text
    assert 'millirec_events_rejected_total{reason="missing_item"} 1.0' in text


@pytest.mark.parametrize("fields", range(16))
def test_the_schema_requires_what_the_job_requires(fields: int) -> None:
    names = ["user", "session", "item", "query"]
    event = {name: "x" for bit, name in enumerate(names) if fields >> bit & 1}
    schema = _EVENT["allOf"]
    fits = all(any({*one["required"]} <= {*event} for one in some["anyOf"]) for some in schema)
    if "query" in event:
        event["type"] = "search"
    judge = Judge(load(None, ["events.weights.search=1"], {}).config)
    assert bool(judge.judge([msgspec.json.encode(event)], 1_700_000_000_000).lines) == fits
    assert "required" not in _EVENT and {*event} <= {*_EVENT["properties"]}
