"""Lists in Redis: commands byte for byte, keys, expiry, notices."""

from __future__ import annotations

from typing import Any

import hiredis
import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, SETTINGS, OneShard, batch_of, changed, parts, shown
from udfs.lists.keys import ITEM, POPULAR, USER, digest
from udfs.lists.lists_json import ListsJson
from udfs.lists.update import ListUpdates
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import of_one
from udfs.state.records import pack_factor
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import RedisSettings, RedisWriter

ODD = ["a b", "a:b", "ü 🛒", "line\nfeed", 'quo"te', "back\\slash", "\x00", "{}", "rec:rec:", " "]


def store(url: str = "redis://127.0.0.1:1", **options: Any) -> RedisLists:
    return RedisLists(changed(SETTINGS, **options), RedisWriter(RedisSettings(url)))


def updates(kind: Any, names: list[str], **more: Any) -> ListUpdates:
    catalogue = Catalogue(2, 1, 100)
    slots = np.tile(catalogue.slots(["a", "b"]), (len(names), 1))
    lists = of_one((slots, np.full(slots.shape, 0.5, np.float32)), "mf")
    return ListUpdates(kind, names, "mf", NOW, lists, catalogue, ListsJson(), **more)


def test_the_commands_are_those_that_a_client_would_send() -> None:
    vectors = np.ones((2, 3), np.float32)
    users = updates(USER, ["ann", "böb"], numbers=np.array([7, 8]), factors=vectors)
    shared = updates(POPULAR, [""])
    similar = updates(ITEM, ["1580"])
    made = store(prefix="50%b:", publish=True).commands([users, shared, similar])
    end = (b"EX", b"60")
    wanted: list[tuple[Any, ...]] = [
        (b"SET", b"50%b:rec:ann", users.json[0], *end),
        (b"PUBLISH", b"50%b:rec", b"ann"),
        (b"SET", "50%b:rec:böb".encode(), users.json[1], *end),
        (b"PUBLISH", b"50%b:rec", "böb".encode()),
        (b"SET", b"50%b:factor:ann", pack_factor(vectors[0]), *end),
        (b"SET", "50%b:factor:böb".encode(), pack_factor(vectors[1]), *end),
        (b"SET", b"50%b:popular", shared.json[0], *end),
        (b"SET", b"50%b:similar:1580", similar.json[0], *end),
    ]
    assert made == [hiredis.pack_command(command) for command in wanted]
    assert [parts(command) for command in made] == wanted


def test_nothing_is_published_unless_configured() -> None:
    made = store().commands([updates(USER, ["ann"], numbers=np.array([1])), updates(POPULAR, [""])])
    assert [parts(command)[0] for command in made] == [b"SET", b"SET"]


def test_lists_of_one_moment_take_one_round_trip(redis_url: str, redis_client: Any) -> None:
    writer = RedisWriter(RedisSettings(redis_url))
    RedisLists(changed(SETTINGS), writer).write(
        [updates(USER, ["ann", "bob"], numbers=np.array([1, 2])), updates(POPULAR, [""])]
    )
    assert writer.round_trips == 1
    assert sorted(redis_client.keys()) == [b"popular", b"rec:ann", b"rec:bob"]


def test_all_that_is_under_the_name_of_a_user_is_erased_in_one_round_trip(
    redis_url: str, redis_client: Any
) -> None:
    writer = RedisWriter(RedisSettings(redis_url))
    gone = ["rec:b", "kept:b", "factor:b", f"export:{digest('b')}", f"export:why:{digest('b')}"]
    stay = ["rec:bo", "similar:b", "item:b", f"forget:{digest('b')}", "rec:c"]
    for key in [*gone, *stay]:
        redis_client.set(f"p:{key}", "1")
    notices = redis_client.pubsub(ignore_subscribe_messages=True)
    notices.subscribe("p:rec")
    assert notices.get_message(timeout=5) is None
    RedisLists(changed(SETTINGS, prefix="p:", publish=True), writer).erase(["b"])
    assert writer.round_trips == 1
    left = [key.decode() for key in redis_client.scan_iter()]
    assert sorted(left) == sorted(f"p:{key}" for key in stay)
    assert notices.get_message(timeout=5)["data"] == b"b"
    notices.close()


@pytest.mark.parametrize("name", ODD)
def test_odd_ids_are_found_under_the_documented_key(
    name: str, redis_url: str, redis_client: Any
) -> None:
    shard = OneShard()
    shard.learn(batch_of([(name, "other"), ("ann", name), ("ann", "other")]))
    learner = shard.learner
    made = learner.user_lists(shard.slots(name, "ann"), NOW)
    store(redis_url).write(made + learner.shared.updates(NOW, everything=True))

    def get(key: str) -> dict[str, Any]:
        value: dict[str, Any] = msgspec.json.decode(redis_client.get(key) or b"")
        return value

    assert get(f"rec:{name}")["user"] == name
    assert shown(get(f"rec:{name}")) == [name], "the item of that name"
    assert get(f"similar:{name}")["item"] == name
    assert name in shown(get("popular"))
    assert 0 < redis_client.ttl(f"rec:{name}") <= 60
