"""The shell of the operator `identity`, and the user learner behind it with a Redis."""

from __future__ import annotations

import pickle
from typing import Any

import msgspec
import redis

from tests.udfs.builders import NOW, SETTINGS, batch_of, changed, shown
from tests.udfs.flink import Subtask
from tests.udfs.persons import linked
from tests.udfs.user_learners import operator
from udfs.accounts import unpack_account
from udfs.events.batch import pack, unpack, user_shard
from udfs.events.joined import is_joined
from udfs.events.people import pack_people
from udfs.operators.flink import STATS
from udfs.operators.identity import Identity
from udfs.options.identity import Identity as Options

KEYS = [30, 31, 32, 33]
SET = changed(SETTINGS, identity=Options(enabled=True))


def subtask(before: Subtask | None = None) -> Subtask:
    return Subtask(pickle.loads(pickle.dumps(Identity(SET, KEYS))), before)


def sent(out: list[Any]) -> list[tuple[int, bytes]]:
    return [one for one in out if one[0] is not STATS]


def test_pieces_go_to_the_shards_of_places_and_links_are_counted() -> None:
    flink = subtask()
    batch = pack(batch_of([("ann", "x"), ("bob", "y")]))
    out = flink.process(30, (30, batch))
    assert {key for key, _ in out} == {KEYS[user_shard(user, 4)] for user in ("ann", "bob")}
    assert len(flink.timers) == 1
    out = flink.process(30, (30, pack_people([linked("anon", "ann", NOW)])))
    [account] = [unpack_account(data) for tag, data in out if tag is STATS]
    assert account.described == 1 and account.balanced is False
    assert all(is_joined(data) for _, data in sent(out))
    assert flink.metrics.counters["links"] == 1
    flink = subtask(flink)  # after a restart
    [(key, data)] = flink.process(30, (30, pack(batch_of([("anon", "z")]))))
    assert (key, unpack(data).users) == (KEYS[user_shard("ann", 4)], ["ann"])
    for at, _ in sorted(flink.timers):
        flink.fire(at)
    assert flink.timers


def test_lists_of_a_person_are_in_redis_under_all_ids_and_go_together(
    redis_url: str, redis_client: redis.Redis
) -> None:
    names = Subtask(Identity(SET, KEYS))
    users = Subtask(
        operator(
            redis_url, identity=Options(enabled=True), factors=True, expiry_s=77, coalesce_ms=0
        )
    )

    def hear(message: bytes) -> None:
        for key, data in sent(names.process(30, (30, message))):
            users.process(key, (key, data))

    hear(pack(batch_of([("bob", "v"), ("bob", "w"), ("bob", "x"), ("cid", "x"), ("cid", "w")])))
    hear(pack(batch_of([("anon", "x"), ("ann", "v")])))
    hear(pack_people([linked("anon", "ann", NOW)]))
    users.fire(min(at for at, _ in users.timers))  # no batch has come
    read: Any = redis_client
    values = [msgspec.json.decode(read.get(f"rec:{name}")) for name in ("anon", "ann")]
    assert values[0]["items"] == values[1]["items"] and values[0]["id"] == values[1]["id"]
    assert [value["user"] for value in values] == ["anon", "ann"]
    assert not {"x", "v"} & {*shown(values[0])}
    assert {read.ttl(f"rec:{name}") for name in ("anon", "ann")} <= {76, 77}
    assert read.get("factor:anon") == read.get("factor:ann")
    hear(pack(batch_of([("anon", "w")])))
    later = [msgspec.json.decode(read.get(f"rec:{name}")) for name in ("anon", "ann")]
    assert later[0]["id"] == later[1]["id"] != values[0]["id"]
