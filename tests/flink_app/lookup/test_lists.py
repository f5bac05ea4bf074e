"""Lookups print what Redis holds: exactly in a pipe, readable in a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from rich.console import Console

from flink_app.config import Loaded, load
from flink_app.connections import kafka, redis_access
from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer
from flink_app.lookup import lists
from flink_app.lookup.reasons import Said
from udfs.errors import ConfigError, ServiceError
from udfs.lists import contract

VALUE = (
    b'{"user":"al ice","id":"a-1","at":1700000000000,"v":1,"source":"mf","items":'
    b'[{"item":"i1","score":0.9527,"why":{"model":"mf"}},{"item":"[i2]","score":0.5,"why":{}}]}'
)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield client


def configured(server: RedisServer, *settings: str) -> Loaded:
    return load(None, [f"redis.url={server.url}", *settings], {})


def test_in_a_pipe_the_value_comes_byte_for_byte(
    server: RedisServer, client: redis.Redis, capfdbinary: Any
) -> None:
    client.set("p:rec:al ice", VALUE)
    assert lists.show("rec:al ice", configured(server, "redis.prefix=p:"), False) == 0
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == VALUE + b"\n"


@pytest.mark.parametrize("name", ["rec:1001.0", "rec:01001", "rec: 1001"])
def test_numbers_are_found_in_every_notation(
    server: RedisServer, client: redis.Redis, name: str
) -> None:
    client.set("rec:1001", VALUE)
    assert lists.show(name, configured(server, "events.ids=integers"), False) == 0
    assert lists.show(name, configured(server), False) == 1


def test_an_unknown_user_is_told_with_the_way_out(
    server: RedisServer, client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lists.show("rec:bob", configured(server), False) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert "no list for the user 'bob'" in told.err
    assert "the popular list: millirec get" in told.err


def test_the_table_has_titles_where_there_are_some(client: redis.Redis) -> None:
    client.set("item:i1", b'{"title":"Alien"}')
    client.set("item:[i2]", b"not JSON")
    found = contract.read(VALUE)
    said = Said(items=lists.said_of(client, "", [entry.item for entry in found.items]))
    out = io.StringIO()
    Console(file=out, width=100).print(lists.table(found, "rec:al ice", said, found.at + 75_000))
    text = out.getvalue()
    assert "Alien" in text and "0.953" in text and "1:15 old" in text
    assert "[i2]" in text  # not taken for markup


def test_reasons_are_said_in_the_language_that_is_asked_for(
    server: RedisServer, client: redis.Redis, capfdbinary: Any
) -> None:
    client.set("rec:al ice", VALUE)
    assert lists.show("rec:al ice", configured(server), True, language="de-AT") == 0
    sys.stdout.flush()
    whole = contract.read(capfdbinary.readouterr().out)
    assert [entry.why.get("text") for entry in whole.items] == [
        "trifft deinen Geschmack",
        "f\u00fcr dich ausgew\u00e4hlt",
    ]
    with pytest.raises(ConfigError, match="no words in the language 'tlh': choose en, zh or de"):
        lists.show("rec:al ice", configured(server), True, language="tlh")


def test_no_id_and_no_title_can_take_the_terminal_over(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "a\x1b[2J\x1b]0;x\x07\x9b31m\u202eb\n\r\x08"
    entry = contract.Entry(item=hostile, score=1.0, why={"model": hostile, "because": [hostile]})
    found = contract.RecommendationList(hostile, 1, 1, hostile, [entry], user=hostile)
    console = Console(width=400, color_system=None)
    console.print(
        lists.table(found, f"rec:{hostile}", Said(items={hostile: {"title": hostile}}), 1)
    )
    shown = capsys.readouterr().out
    assert all(letter.isprintable() or letter == "\n" for letter in shown)
    assert shown.count(r"a\x1b[2J\x1b]0;x\x07\x9b31m\u202eb\n\r\x08") == 7


def test_an_empty_list_says_so() -> None:
    value = b'{"id":"a","at":1700000000000,"v":1,"source":"trending","items":[]}'
    out = io.StringIO()
    found = contract.read(value)
    Console(file=out, width=100).print(lists.table(found, "trending", Said(), found.at))
    text = out.getvalue()
    assert "an empty list" in text and "source trending, 0:00 old" in text
    assert "score" not in text


def test_a_sample_is_found_under_a_prefix_with_any_characters(client: redis.Redis) -> None:
    assert lists.sample(client, "a*[b]:") is None
    client.set("axb:rec:wrong", VALUE)
    client.set("a*[b]:rec:u:1", VALUE)
    assert lists.sample(client, "a*[b]:") == "u:1"


def test_no_redis_is_one_sentence_without_the_password() -> None:
    port = free_port()
    named = load(None, [f"redis.url=redis://ann:geheim@127.0.0.1:{port}/0"], {})
    with pytest.raises(ServiceError, match=f"redis://127.0.0.1:{port}/0 does not answer") as told:
        redis_access.find_redis(named)
    assert "geheim" not in str(told.value)


def test_a_list_of_an_earlier_job_is_told(
    server: RedisServer, client: redis.Redis, capsys: pytest.CaptureFixture[str]
) -> None:
    client.set("rec:a", VALUE)
    client.hset("stats", "began", 1700000075000)
    assert lists.show("rec:a", configured(server), True) == 0
    assert "an earlier job made this list, 1:15 before the present job" in capsys.readouterr().err
    client.hset("stats", "began", 1700000000000)
    assert lists.show("rec:a", configured(server), True) == 0
    assert capsys.readouterr().err == ""


def test_kafka_that_does_not_listen_is_named() -> None:
    port = free_port()
    settings = ["source.kind=kafka", f"source.brokers=127.0.0.1:{port}"]
    with pytest.raises(ServiceError, match=f"no Kafka broker answers at 127.0.0.1:{port}"):
        kafka.require_kafka(load(None, settings, {}).config)
