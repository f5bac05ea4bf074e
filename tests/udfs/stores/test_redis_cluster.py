"""A real Redis Cluster: what is written to it, and what happens to writers when nodes change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import redis

from flink_app.config import load
from flink_app.config.check import check
from flink_app.connections.redis_start import require_rights, start_afresh
from flink_app.lookup.lists import sample, titles
from tests.udfs.builders import NOW
from tests.udfs.flink import Subtask
from tests.udfs.learning.test_refill import refilled
from tests.udfs.redis_nodes import RedisNodes
from tests.udfs.user_learners import Clock, operator, sent
from udfs.errors import ConfigError, ServiceError
from udfs.stores.fence import Fence
from udfs.stores.redis_feed import feed_keys
from udfs.stores.redis_writer import RedisSettings, RedisWriter

PEOPLE = [f"user-{n}" for n in range(40)]


def test_each_command_goes_to_the_node_of_its_key(nodes: RedisNodes) -> None:
    writer = RedisWriter(RedisSettings(nodes.url))
    ids = [*PEOPLE, "a{b}c", "{}", "é\n", "a:{7}"]
    replies = writer.send([("SET", f"rec:{who}", who) for who in ids])
    assert replies == [b"OK"] * len(ids)
    assert all(client.dbsize() for client in nodes.clients), "spread over all nodes"
    assert writer.send([("GET", f"rec:{who}") for who in ids]) == [who.encode() for who in ids]
    assert writer.round_trips == 2
    log = writer.send([("XADD", "feed:log", "*", "rows", "x"), ("TIME",)])
    command = ("XREAD", "COUNT", "64", "STREAMS", "feed:log", "0-0")
    assert writer.send([command])[0][0][1][0][0] == log[0]


def test_a_notice_comes_after_its_list(nodes: RedisNodes) -> None:
    writer = RedisWriter(RedisSettings(nodes.url))
    with redis.Redis(port=nodes.ports[2]).pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("rec")
        channel.get_message(timeout=30)
        for who in PEOPLE:
            writer.send([("SET", f"rec:{who}", "list"), ("PUBLISH", "rec", who)])
            message: Any = channel.get_message(timeout=30)
            assert message["data"] == who.encode()
            assert nodes.get(f"rec:{who}") == b"list"


def test_a_user_learner_and_its_readers(nodes: RedisNodes, clock: Clock) -> None:
    flink = Subtask(operator(nodes.url))
    clock.settle(flink)
    flink.process(
        7, sent([(who, item) for who, item in zip(PEOPLE, "abcd" * 10, strict=True)], NOW)
    )
    assert all(nodes.get(f"rec:{who}") for who in PEOPLE)
    client: Any = RedisSettings(nodes.url).client()
    client.set("item:a", '{"title":"A kettle"}')
    assert titles(client, "", ["a", "b"]) == {"a": "A kettle"}
    assert sample(client, "") in PEOPLE
    config = load(None, [f"redis.url={nodes.url}"], {}).config
    before = nodes.keys()
    require_rights(client, config)
    assert nodes.keys() == before
    for key in (*feed_keys("", 1), "stats"):
        client.set(key, "1")
    assert start_afresh(client, config, 5) == ""
    assert nodes.keys() == {"item:a", "stats", "writers"}
    assert client.hgetall("stats") == {b"began": b"5"}


def test_a_node_that_lost_its_data_gets_all_lists_again(nodes: RedisNodes, clock: Clock) -> None:
    flink = Subtask(operator(nodes.url, refill_per_s=100))
    clock.settle(flink)
    flink.process(7, sent([(who, "a") for who in PEOPLE], NOW))
    before = {who: nodes.get(f"rec:{who}") for who in PEOPLE}
    assert refilled(flink, clock) == 0, "nothing is lost"
    for client in nodes.clients:
        client.flushall()
        assert refilled(flink, clock) == len(PEOPLE)
        assert refilled(flink, clock) == 0
        assert all(nodes.get(f"rec:{who}") for who in before)


def test_a_newer_attempt_shuts_an_older_writer_out_of_every_node(nodes: RedisNodes) -> None:
    settings = RedisSettings(nodes.url, retry_s=5)
    old = RedisWriter(settings, fence=Fence("", 5, "user-0", 0))
    old.send([("SET", who, "old") for who in PEOPLE])
    new = RedisWriter(settings, fence=Fence("", 5, "user-0", 1))
    new.send([("SET", PEOPLE[0], "new")])
    for who in PEOPLE:
        with pytest.raises(ServiceError, match="a newer job, or a newer attempt"):
            old.send([("SET", who, "stale")])
        assert nodes.get(who) == (b"new" if who == PEOPLE[0] else b"old")


def test_slots_that_move_to_another_node_are_found(nodes: RedisNodes) -> None:
    writer = RedisWriter(RedisSettings(nodes.url, retry_s=20))
    key = "rec:user-1"
    writer.send([("SET", key, "1")])
    slot = nodes.clients[0].execute_command("CLUSTER KEYSLOT", key)
    names = [client.execute_command("CLUSTER MYID").decode() for client in nodes.clients]
    here = next(n for n, client in enumerate(nodes.clients) if client.keys(key))
    there = (here + 1) % 3
    source, target = nodes.clients[here], nodes.clients[there]
    try:
        target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[here])
        source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[there])
        source.migrate("127.0.0.1", nodes.ports[there], key, 0, 1000)
        for client in (target, *nodes.clients):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", names[there])
        assert writer.send([("SET", key, "2"), ("GET", key)]) == [b"OK", b"2"]
        assert target.get(key) == b"2"
    finally:
        target.delete(key)
        for client in (source, *nodes.clients):
            client.execute_command("CLUSTER SETSLOT", slot, "NODE", names[here])


def test_a_replica_takes_over_from_a_killed_node(tmp_path: Path, clock: Clock) -> None:
    with RedisNodes(tmp_path, replicas=True) as nodes:
        flink = Subtask(operator(nodes.url, retry_s=30, refill_per_s=100))
        clock.settle(flink)
        flink.process(7, sent([(who, "a") for who in PEOPLE], NOW))
        assert all(client.wait(1, 20_000) for client in nodes.clients[:3]), "replicated"
        nodes.servers[1].kill()
        others = [f"{who}-later" for who in PEOPLE]
        flink.process(7, sent([(who, "b") for who in others], NOW + 1000))
        with redis.RedisCluster(host="127.0.0.1", port=nodes.ports[0]) as client:
            assert nodes.ports[4] in [node.port for node in client.get_primaries()]
            assert all(client.get(f"rec:{who}") for who in [*PEOPLE, *others])
        clock.now += 1000
        flink.fire(clock.now)
        assert refilled(flink, clock) == 0


def test_urls() -> None:
    url = "rediss+cluster://ann:se%40cret@one:1,two"
    check(load(None, ["source.paths=x", f"redis.url={url}"], {}).config)
    assert RedisSettings(url).address == "rediss+cluster://one:1,two:6379"
    for wrong in ("one:x", "", "one:1,", "one:1/3"):
        with pytest.raises(ConfigError, match=r"of a cluster redis\+cluster://host:port"):
            check(load(None, ["source.paths=x", f"redis.url=redis+cluster://{wrong}"], {}).config)
    with pytest.raises(redis.ConnectionError, match="cannot be connected"):
        RedisSettings("redis+cluster://127.0.0.1:1", timeout_s=1).client()
