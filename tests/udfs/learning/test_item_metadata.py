"""The metadata of a shard is merged in its state, told to Redis, and follows the time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.udfs.fakes import DictState
from tests.udfs.metadata import MemoryMetadata
from udfs.events.item_changes import ItemChange
from udfs.feed.metadata import unpack
from udfs.learning import item_metadata
from udfs.learning.item_metadata import ItemMetadata
from udfs.memory.metadata import NEVER
from udfs.models.content.features import content_vector
from udfs.options.rules import Rule

NOW = 1_000


def shard(state: Any = None, redis: Any = None) -> tuple[ItemMetadata, DictState, MemoryMetadata]:
    state, redis = state or DictState(), redis or MemoryMetadata()
    return ItemMetadata(state, redis, 3), state, redis


def change(item: str, ts: int, **fields: Any) -> ItemChange:
    return ItemChange(item, ts, fields)


def test_changes_are_merged_and_told() -> None:
    one, _, redis = shard()
    changes = [change("a", 5, title="Mug", price=2.0), change("b", 5, available=False)]
    assert one.take(changes, NOW) == (["a", "b"], ["b"])
    assert one.take([change("a", 4, title="late", tags=["x"])], NOW) == (["a"], [])
    assert json.loads(redis.pages["a"]) == {"title": "Mug", "price": 2.0, "tags": ["x"]}
    assert redis.hidden == {"b"}
    entry = unpack(redis.hashes[3]["a"])
    assert (entry.item, entry.at, entry.price) == ("a", 5, 2.0)
    fields = {"title": "Mug", "price": 2.0, "tags": ["x"]}
    assert entry.content == content_vector(fields).tobytes()
    assert len(redis.stream) == 3


def test_several_changes_of_an_item_are_told_as_one() -> None:
    one, _, redis = shard()
    one.take([change("a", 5, title="x"), change("a", 6, title="y"), change("a", 5, price=1.0)], NOW)
    assert len(redis.stream) == 1
    assert json.loads(redis.pages["a"]) == {"title": "y", "price": 1.0}


def test_a_deleted_item_has_no_page_and_is_hidden() -> None:
    one, _, redis = shard()
    one.take([change("a", 5, title="x")], NOW)
    assert one.take([change("a", 6, deleted=True)], NOW) == (["a"], ["a"])
    assert redis.pages["a"] == b"" and redis.hidden == {"a"}
    one.take([change("a", 7, title="back")], NOW)
    assert redis.hidden == set()


def test_items_come_and_go_by_themselves_also_after_a_restart() -> None:
    one, state, redis = shard()
    one.take([change("a", 5, published=NOW + 10, expires=NOW + 30), change("b", 5)], NOW)
    assert (redis.hidden, one.next_ms) == ({"a"}, NOW + 10)
    again, _, _ = shard(state, redis)
    assert again.load(NOW) == ["a", "b"]
    assert again.next_ms == NOW + 10
    assert (again.pass_time(NOW + 10), redis.hidden, again.next_ms) == ([], set(), NOW + 30)
    assert (again.pass_time(NOW + 29), again.next_ms) == ([], NOW + 30)
    assert (again.pass_time(NOW + 30), redis.hidden, again.next_ms) == (["a"], {"a"}, NEVER)


def test_an_item_is_judged_by_the_rules_whenever_it_changes() -> None:
    rules = [
        Rule(when="price > 50", exclude=True),
        Rule(when='"new" in tags', boost=2.0),
        Rule(when='item == "a"', pin=1),
    ]
    state, redis = DictState(), MemoryMetadata()
    one = ItemMetadata(state, redis, 3, rules)
    assert one.take([change("a", 5, price=60.0, tags=["new"])], NOW) == (["a"], ["a"])
    entry = unpack(redis.hashes[3]["a"])
    assert (entry.shown, entry.boost, entry.bits, redis.hidden) == (False, 2.0, 1, {"a"})
    assert one.take([change("a", 6, price=40.0, tags=None)], NOW) == (["a"], [])
    entry = unpack(redis.hashes[3]["a"])
    assert (entry.shown, entry.boost, entry.bits, redis.hidden) == (True, 1.0, 1, set())
    for _ in ItemMetadata(state, redis, 3, [Rule(when="price < 50", exclude=True)]).rewrite(NOW):
        pass
    assert redis.hidden == {"a"}


def test_a_restart_makes_no_vector_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are in Redis, or made when it is written again; 100,000 of them take seconds."""
    one, state, redis = shard()
    one.take([change("a", 5, title="Mug", expires=NOW + 30)], NOW)
    monkeypatch.setattr(item_metadata, "content_vector", None)
    again, _, _ = shard(state, redis)
    assert (again.load(NOW), again.next_ms, again.pass_time(NOW + 30)) == (["a"], NOW + 30, ["a"])


def test_a_redis_that_lost_everything_gets_it_again() -> None:
    one, state, redis = shard()
    one.take([change(f"i{n}", 5, title=str(n), hidden=n == 7) for n in range(150)], NOW)
    empty = MemoryMetadata()
    again, _, _ = shard(state, empty)
    parts = sum(1 for _ in again.rewrite(NOW))
    assert parts > 1
    assert (empty.pages, empty.hidden, empty.hashes) == (redis.pages, redis.hidden, redis.hashes)


def test_a_removed_item_is_nowhere() -> None:
    one, state, redis = shard()
    one.take([change("a", 5, available=False), change("b", 5)], NOW)
    one.remove(["a", "never"])
    assert [name for name, _ in state.items()] == ["b"]
    assert redis.hidden == set() and [*redis.hashes[3]] == [*redis.pages] == ["b"]
