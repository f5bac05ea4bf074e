"""Hidden items are taken out of the lists that stand in Redis, and no newer list is lost."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis

from tests.udfs.redis_nodes import RedisNodes
from tests.waiting import wait_for
from udfs.lists.contract import without
from udfs.stores import redis_hidden
from udfs.stores.redis_hidden import ListSweep
from udfs.stores.redis_writer import RedisSettings, RedisWriter

PEOPLE = [f"u{n}" for n in range(600)]


def made(*items: str, user: str = "ann") -> bytes:
    entries = [{"item": item, "score": 0.5, "why": {"model": "mf"}} for item in items]
    found = {"user": user, "id": "5-1", "at": 5, "v": 1, "source": "mf", "items": entries}
    return json.dumps(found, separators=(",", ":")).encode()


def items(value: Any) -> list[str]:
    return [entry["item"] for entry in json.loads(value)["items"]]


def test_lists_of_users_and_items_lose_what_is_hidden(redis_url: str) -> None:
    client = redis.Redis.from_url(redis_url)
    for n in range(700):
        client.set(f"p*:rec:u{n}", made("a", f"b{n}") if n % 2 else made("c"), ex=1000)
    client.set("p*:similar:x", made("a", "c"))
    client.set("p*:other", made("a"))
    client.set("px:rec:u1", made("a"))
    with client.pubsub(ignore_subscribe_messages=True) as told:
        told.subscribe("p*:rec")
        told.get_message(timeout=1)
        held = [*ListSweep(RedisSettings(redis_url, prefix="p*:"), True).sweep({"a", "zz"})]
        assert told.get_message(timeout=1)["data"].startswith(b"u")
    assert sum(held) == 351 and len(held) > 1
    assert all(items(client.get(f"p*:rec:u{n}")) == [f"b{n}"] for n in range(1, 700, 2))
    assert 0 < client.ttl("p*:rec:u1") <= 1000
    assert items(client.get("p*:similar:x")) == ["c"]
    assert items(client.get("p*:other")) == items(client.get("px:rec:u1")) == ["a"]


def test_a_list_that_was_replaced_meanwhile_stays(redis_url: str, monkeypatch: Any) -> None:
    client = redis.Redis.from_url(redis_url)
    client.set("rec:u", made("a", "b"))

    def slow(value: bytes, hidden: Any) -> bytes:
        client.set("rec:u", made("new"))
        return without(value, hidden)

    monkeypatch.setattr(redis_hidden, "without", slow)
    assert [*ListSweep(RedisSettings(redis_url), False).sweep({"a"})] == [1]
    assert items(client.get("rec:u")) == ["new"]


def write(nodes: RedisNodes) -> None:
    """A list of each user with the item a, and one of what follows."""
    lists = [("SET", f"rec:{who}", made("a", who), "EX", "1000") for who in PEOPLE]
    writer = RedisWriter(RedisSettings(nodes.url, retry_s=30))
    writer.send([*lists, ("SET", "kept:u1", made("a", "b")), ("SET", "similar:x", made("c", "a"))])


def left(client: Any) -> set[str]:
    """The users whose lists have the item a still."""
    return {who for who in PEOPLE if items(client.get(f"rec:{who}")) != [who]}


def test_the_lists_of_all_nodes_lose_what_is_hidden(nodes: RedisNodes) -> None:
    write(nodes)
    with redis.Redis(port=nodes.ports[2]).pubsub(ignore_subscribe_messages=True) as told:
        told.subscribe("rec")
        told.get_message(timeout=30)
        held = [*ListSweep(RedisSettings(nodes.url), True).sweep({"a"})]
        messages: list[Any] = [told.get_message(timeout=30) for _ in PEOPLE]
    assert {message["data"].decode() for message in messages} == {*PEOPLE}
    assert sum(held) == len(PEOPLE) + 2 and len(held) > 1
    client: Any = RedisSettings(nodes.url).client()
    assert left(client) == set()
    assert 0 < client.ttl("rec:u1") <= 1000
    assert items(client.get("kept:u1")) == ["b"] and items(client.get("similar:x")) == ["c"]


def test_lists_of_a_slot_that_moves_lose_it_too(nodes: RedisNodes) -> None:
    key, sweep = "rec:u1", ListSweep(RedisSettings(nodes.url), False)
    slot = nodes.clients[0].execute_command("CLUSTER KEYSLOT", key)
    names = [client.execute_command("CLUSTER MYID").decode() for client in nodes.clients]
    write(nodes)
    here = next(n for n, client in enumerate(nodes.clients) if client.keys(key))
    there = (here + 1) % 3
    source, target = nodes.clients[here], nodes.clients[there]
    assert sum(sweep.sweep({"a"})) == len(PEOPLE) + 2, "it has a map of the cluster"
    client: Any = RedisSettings(nodes.url).client()
    try:
        write(nodes)
        target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", names[here])
        source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", names[there])
        source.migrate("127.0.0.1", nodes.ports[there], key, 0, 1000)
        assert sum(sweep.sweep({"a"})) == len(PEOPLE) + 2, "some keys are here, some there"
        assert left(client) == set()
        for one in (target, *nodes.clients):
            one.execute_command("CLUSTER SETSLOT", slot, "NODE", names[there])
        write(nodes)
        assert sum(sweep.sweep({"a"})) == len(PEOPLE) + 2, "they are there"
        assert left(client) == set()
    finally:
        target.delete(key)
        for one in (source, *nodes.clients):
            one.execute_command("CLUSTER SETSLOT", slot, "NODE", names[here])


def test_a_sweep_during_which_a_node_is_killed_goes_on_with_its_replica(tmp_path: Path) -> None:
    with RedisNodes(tmp_path, replicas=True) as nodes:
        write(nodes)
        assert all(client.wait(1, 20_000) for client in nodes.clients[:3]), "replicated"
        sweep = ListSweep(RedisSettings(nodes.url), False)
        begun = sweep.sweep({"a"})
        next(begun)
        nodes.servers[1].kill()
        with suppress(*redis_hidden.FAILURES):  # unless the replica has taken over already
            sum(begun)

        def done() -> bool:
            try:
                return sum(sweep.sweep({"a"})) >= 0
            except redis_hidden.FAILURES:
                return False

        wait_for(done)
        client: Any = RedisSettings(nodes.url).client()
        assert left(client) == set()
