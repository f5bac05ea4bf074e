"""Metadata in Redis: what is written is what is read, and who follows `hidden` is told."""

from __future__ import annotations

import redis

from tests.udfs.redis_nodes import RedisNodes
from udfs.stores.redis_metadata import RedisMetadata, Update, metadata_keys
from udfs.stores.redis_writer import RedisSettings, RedisWriter


def store(url: str) -> RedisMetadata:
    return RedisMetadata(RedisWriter(RedisSettings(url)), "p:")


def update(item: str, entry: bytes, page: bytes = b"{}", shown: bool = True) -> Update:
    return Update(item, entry, page, shown)


def test_pages_entries_and_the_stream(redis_url: str) -> None:
    client, one = redis.Redis.from_url(redis_url), store(redis_url)
    begin = one.end()
    one.write(1, [update("a", b"1", b'{"title":"A"}'), update("b", b"2", shown=False)], 0)
    one.write(1, [update("a", b"3", b"")], 0)
    assert client.get("p:item:a") is None and client.get("p:item:b") == b"{}"
    assert sorted(entry for some in one.load(1) for entry in some) == [b"2", b"3"]
    assert [*one.load(0)] == []
    assert [entry for _, entry in one.follow(begin)] == [b"1", b"2", b"3"]
    one.remove(1, ["b"])
    assert client.get("p:item:b") is None
    assert sorted(entry for some in one.load(1) for entry in some) == [b"3"]
    assert client.smembers("p:hidden") == set()


def test_all_of_a_large_shard_is_read(redis_url: str) -> None:
    one = store(redis_url)
    one.write(0, [update(f"i{n}", b"%d" % n) for n in range(3000)], 0)
    assert {entry for some in one.load(0) for entry in some} == {b"%d" % n for n in range(3000)}
    assert len([*one.follow("0-0")]) == 3000


def test_a_notice_comes_when_what_is_hidden_changes_and_only_then(redis_url: str) -> None:
    client, one = redis.Redis.from_url(redis_url), store(redis_url)
    with client.pubsub(ignore_subscribe_messages=True) as told:
        told.subscribe("p:hidden")
        told.get_message(timeout=1)
        seen = []
        for item, hidden in (("a", False), ("a", True), ("a", True), ("b", True), ("a", False)):
            one.hide(1, [(item, hidden)])
            seen.append(told.get_message(timeout=0.2) is not None)
        assert seen == [False, True, False, True, True]
    assert client.smembers("p:hidden") == {b"b"}


def test_a_job_that_starts_afresh_knows_all_keys(redis_url: str) -> None:
    client, one = redis.Redis.from_url(redis_url), store(redis_url)
    one.write(1, [update("a", b"1", shown=False)], 0)
    known = {key.encode() for key in metadata_keys("p:", 2)}
    assert {*client.keys("p:*")} - known == {b"p:item:a", b"p:filled"}


def test_an_emptied_redis_is_noticed_once(redis_url: str) -> None:
    client, one = redis.Redis.from_url(redis_url), store(redis_url)
    assert not one.lost(1), "there is nothing to lose"
    one.write(1, [update("a", b"1")], 0)
    assert not one.lost(1)
    client.flushall()
    assert one.lost(1) and not one.lost(0)
    one.write(1, [update("a", b"1")], 0)
    assert one.lost(1), "only a part of it has been written again"
    one.write(1, [update("a", b"1")], 0)
    assert not one.lost(1)


def test_a_redis_that_failed_over_is_noticed_though_it_has_marks_of_later_writes(
    redis_url: str,
) -> None:
    client, one = redis.Redis.from_url(redis_url), store(redis_url)
    one.write(1, [update("a", b"1")], 0)
    before = {key: client.dump(key) for key in client.keys("*")}
    one.hide(1, [("a", True)])
    client.flushall()
    for key, data in before.items():
        client.restore(key, 0, data)
    one.write(0, [update("b", b"2")], 0)
    assert not one.lost(0), "each shard has its own marks"
    one.write(1, [update("c", b"3")], 0)
    assert one.lost(1) and not one.lost(1)


def test_what_is_sent_twice_is_not_lost(redis_url: str) -> None:
    """Redis may have taken a pipeline whose replies did not come back."""
    one = store(redis_url)
    one.write(1, [update("a", b"1")], 0)
    writer = one._redis
    send = writer.send
    writer.send = lambda commands: (send(commands), send(commands))[1]  # type: ignore[method-assign]
    one.write(1, [update("a", b"2")], 0)
    writer.send = send  # type: ignore[method-assign]
    assert not one.lost(1)


def test_a_node_that_loses_its_data_is_noticed(nodes: RedisNodes) -> None:
    one = store(nodes.url)
    some = [update(f"i{n}", b"%d" % n, shown=n % 2 == 0) for n in range(40)]
    for part in (some[:1], some[1:]):  # at the first, nothing is known of the nodes
        one.write(1, part, 0)
        assert not one.lost(1)
    assert {entry for part in one.load(1) for entry in part} == {one.entry for one in some}
    assert len([*one.follow("0-0")]) == 40
    assert all(nodes.get(f"p:item:{one.item}") for one in some)
    for client in nodes.clients:
        client.flushall()
        assert one.lost(1)
        for _ in range(2):
            one.write(1, some, 0)
        one.lost(1)
        assert not one.lost(1)
    one.remove(1, [f"i{n}" for n in range(40)])
    left = nodes.keys()
    assert {key for key in left if "filled" not in key} == {"p:feed:metadata"}


def test_who_follows_a_cluster_is_told_by_any_node(nodes: RedisNodes) -> None:
    one = store(nodes.url)
    for port in nodes.ports:
        with redis.Redis(port=port).pubsub(ignore_subscribe_messages=True) as told:
            told.subscribe("p:hidden")
            told.get_message(timeout=30)
            one.hide(1, [(f"i{port}", True)])
            assert told.get_message(timeout=30) is not None
    writer = RedisWriter(RedisSettings(nodes.url))
    found = writer.send([("SMEMBERS", "p:hidden")])[0]
    assert {bytes(item).decode() for item in found} == {f"i{port}" for port in nodes.ports}
