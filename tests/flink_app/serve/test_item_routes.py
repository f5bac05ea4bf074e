"""Items over HTTP: judged as the job would, and where the job reads them before they are
acknowledged."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import redis
from confluent_kafka import Consumer, TopicPartition

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from flink_app.writers.kafka import KafkaWriter
from tests.flink_app.serve.servers import serving
from tests.flink_app.serve.test_event_routes import written
from udfs.events.items import ItemReader


def test_an_item_is_in_the_inbox_when_it_is_acknowledged(client: httpx.Client, inbox: Path) -> None:
    item = {"item": "kettle", "title": "Copper Kettle", "price": 39.5, "ts": 1_700_000_000_000}
    answer = client.post("/items", json=item)
    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "rejected": []})
    assert written(inbox) == [{"kind": "item", **item}]


def test_many_items_as_an_array_or_as_lines(client: httpx.Client, inbox: Path) -> None:
    client.post("/items", json=[{"item": 1, "tags": ["a"]}, {"item": "b"}])
    headers = {"content-type": "application/x-ndjson"}
    client.post("/items", content='{"item":"c"}\n\n{"item":"d"}\n', headers=headers)
    assert [one["item"] for one in written(inbox)] == [1, "b", "c", "d"]


def test_each_change_is_newer_than_the_last(client: httpx.Client, inbox: Path) -> None:
    before = time.time_ns() // 1_000_000
    for _ in range(20):
        client.delete("/items/a")
        client.patch("/items/a", json={"price": 1})
    times = [one["ts"] for one in written(inbox)]
    assert before <= times[0]
    assert len(set(times)) == len(times)
    assert times == sorted(times)


def test_some_fields_are_changed(client: httpx.Client, inbox: Path) -> None:
    change = {"price": None, "available": False, "attributes": {"colour": "red"}}
    assert client.patch("/items/a%2Fb", json=change).json()["accepted"] == 1
    [kept] = written(inbox)
    assert kept.pop("ts")
    assert kept == {"kind": "item", "item": "a/b", **change}


def test_an_item_is_taken_away(client: httpx.Client, inbox: Path) -> None:
    assert client.delete("/items/zo%C3%AB").json() == {"accepted": 1, "rejected": []}
    [kept] = written(inbox)
    assert (kept["item"], kept["deleted"]) == ("zoë", True)


def test_reasons_are_those_of_the_job(client: httpx.Client, inbox: Path) -> None:
    items: list[Any] = [
        {"item": "a", "price": "a lot"},
        7,
        {"title": "none"},
        {"item": "ok"},
        {"item": ""},
        {"item": "b", "kind": "interaction"},
        {"item": "c", "ts": "soon"},
        [],
    ]
    answer = client.post("/items", json=items).json()
    reasons = {one["index"]: one["reason"] for one in answer["rejected"]}
    assert answer["accepted"] == 1
    assert sorted(reasons) == [0, 1, 2, 4, 5, 6, 7]
    assert (reasons[1], reasons[2], reasons[5]) == ("not_an_object", "missing_item", "not_an_item")
    reader = ItemReader(decode_settings(load(None, [], {}).config))
    [bad] = reader.decode(['{"kind":"item","item":"a","price":"a lot"}'], 1).rejected
    assert (reasons[0], answer["rejected"][0]["detail"]) == (bad.reason, bad.detail)
    assert [one["item"] for one in written(inbox)] == ["ok"]


def test_if_none_is_accepted_it_is_a_problem(client: httpx.Client) -> None:
    answer = client.post("/items", json={"title": "none"})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:millirec:problem:no-item-accepted"
    assert client.post("/items", json=[]).json()["type"][-8:] == "no-items"
    assert client.patch("/items/a", json=[{}, {}]).status_code == 422
    assert client.patch("/items/a", content=b"").json()["type"][-7:] == "no-body"
    assert client.patch("/items/" + "x" * 600, json={}).json()["type"][-6:] == "bad-id"


def test_lines_about_items_may_come_among_events(client: httpx.Client, inbox: Path) -> None:
    body: list[Any] = [
        {"user": "u", "item": "a"},
        {"kind": "item", "item": "a", "title": "A"},
        {"user": "u"},
        {"kind": "item"},
        {"user": "u", "item": "b"},
    ]
    answer = client.post("/events", json=body).json()
    assert answer["accepted"] == 3
    assert [(one["index"], one["reason"]) for one in answer["rejected"]] == [
        (2, "missing_item"),
        (3, "missing_item"),
    ]
    assert [one.get("kind") for one in written(inbox)] == [None, None, "item"]


def test_what_is_known_of_items(client: httpx.Client, redis_client: redis.Redis) -> None:
    redis_client.set("item:a/b", '{"title":"Kettle"}')
    assert client.get("/items/a%2Fb").json() == {"title": "Kettle"}
    answer = client.get("/items/q")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:millirec:problem:unknown-item")
    assert client.get("/items", params={"id": ["a/b", "q"]}).json()["items"]["q"] is None


def test_the_methods_of_an_item_are_named(client: httpx.Client) -> None:
    answer = client.put("/items/a", json={})
    assert answer.status_code == 405
    assert {*answer.headers["allow"].split(", ")} >= {"GET", "PATCH", "DELETE"}


def test_a_server_that_writes_no_events_takes_no_items(redis_url: str) -> None:
    with serving(redis_url, "source.kind=files", "source.paths=x") as client:
        for answer in (
            client.post("/items", json={"item": "a"}),
            client.patch("/items/a", json={"price": 1}),
            client.delete("/items/a"),
        ):
            assert (answer.status_code, answer.json()["type"][-8:]) == (501, "no-inbox")


def test_items_go_where_the_job_reads_them_apart(redis_url: str, tmp_path: Path) -> None:
    where = "items.kind=directory", f"items.paths={tmp_path / 'items'}"
    events = "source.kind=directory", f"source.paths={tmp_path / 'events'}"
    with serving(redis_url, *where, *events) as client:
        assert client.post("/items", json={"item": "a"}).json()["accepted"] == 1
        assert client.post("/events", json={"user": "u", "item": "a"}).json()["accepted"] == 1
    assert [one["item"] for one in written(tmp_path / "items")] == ["a"]
    assert [one["user"] for one in written(tmp_path / "events")] == ["u"]
    with serving(redis_url, *where, "source.kind=files", "source.paths=x") as client:
        assert client.delete("/items/a").json()["accepted"] == 1
        assert client.post("/events", json={"user": "u", "item": "a"}).status_code == 501


def test_items_go_to_a_topic_of_their_own(redis_url: str) -> None:
    mock = KafkaWriter("", "unused", {"test.mock.num.brokers": 1})  # librdkafka's own broker
    broker = next(iter(mock._producer.list_topics(timeout=30).brokers.values()))
    at = f"{broker.host}:{broker.port}"
    where = "items.kind=kafka", f"items.brokers={at}", "items.topic=items"
    with serving(redis_url, *where, "source.kind=files", "source.paths=x") as client:
        assert client.post("/items", json=[{"item": 17}, {"item": "zoë"}]).json()["accepted"] == 2
    consumer = Consumer({"bootstrap.servers": at, "group.id": "test"})
    partitions = consumer.list_topics("items", timeout=30).topics["items"].partitions
    consumer.assign([TopicPartition("items", number, 0) for number in partitions])
    found = consumer.consume(2, timeout=30)
    consumer.close()
    assert sorted(message.key() for message in found) == [b"17", b"zo\xc3\xab"]
