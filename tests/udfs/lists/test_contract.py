"""The front end's contract: keys, JSON and expiry."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, parts, shown
from udfs.lists.contract import ListWriter
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.ranking.recommender import of_one
from udfs.stores.redis_writer import RedisSettings, RedisWriter

ODD = ["a b", "a:b", "ü 🛒", "line\nfeed", 'quo"te', "back\\slash", "\x00", "{}", "rec:rec:", " "]


def writer(prefix: str = "", publish: bool = False) -> tuple[ListWriter, Catalogue]:
    catalogue = Catalogue(2, 1, 100)
    return ListWriter(catalogue, prefix, 60, publish), catalogue


def made(slots: Any, scores: Any = 0.0, model: str = "mf") -> Lists:
    items = np.asarray(slots, np.int32)
    return of_one((items, np.broadcast_to(np.float32(scores), items.shape).copy()), model)


def fields(command: Any) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(parts(command)[2])
    return value


def test_a_user_list_is_as_documented() -> None:
    lists, catalogue = writer()
    slots = catalogue.slots(["a", "b"])
    (items,) = lists.items(made(slots.reshape(1, 2), [[0.5, 0.12345]]))
    (command,) = lists.user_list("alice", 7, NOW, "mf", items)
    assert parts(command)[:2] == (b"SET", b"rec:alice")
    assert parts(command)[3:] == (b"EX", b"60")
    assert fields(command) == {
        "user": "alice",
        "id": f"{NOW:x}-7",
        "at": NOW,
        "v": 1,
        "source": "mf",
        "items": [
            {"item": "a", "score": 0.5, "why": {"model": "mf"}},
            {"item": "b", "score": 0.1235, "why": {"model": "mf"}},
        ],
    }


def test_reasons_are_named() -> None:
    lists, catalogue = writer()
    slots = catalogue.slots(["a", 'b"', "c"])
    given_lists = Lists(slots[None, :], np.ones((1, 3), np.float32), np.array([[0, 0, 3]], np.int8))
    reasons = np.array([[[1, 2], [2, -1], [-1, -1]]], np.int32)
    (text,) = lists.items(given_lists, reasons)
    assert [entry["why"] for entry in json.loads(b"[" + text + b"]")] == [
        {"model": "item-cf", "because": ['b"', "c"]},
        {"model": "item-cf", "because": ["c"]},
        {"model": "popular"},
    ]


def test_shared_lists_are_as_documented() -> None:
    lists, catalogue = writer("shop:")
    slots = catalogue.slots(["a"])
    (items,) = lists.items(made(slots.reshape(1, 1), 1.0, "popular"))
    similar, popular = lists.similar_list("1580", NOW, "mf", items), lists.popular_list(NOW, items)
    assert similar[:2] == (b"SET", b"shop:similar:1580")
    assert popular[:2] == (b"SET", b"shop:popular")
    assert fields(similar).pop("item") == "1580"
    (items,) = lists.items(made(slots.reshape(1, 1), 1.0, "trending"))
    trending = lists.trending_list(NOW, items)
    assert trending[:2] == (b"SET", b"shop:trending")
    assert fields(trending)["items"] == [{"item": "a", "score": 1.0, "why": {"model": "trending"}}]
    shared = ((similar, "mf"), (popular, "popular"), (trending, "trending"))
    for command, source in shared:
        assert command[3:] == (b"EX", b"60")
        value = fields(command)
        assert (value["id"], value["at"], value["v"]) == (f"{NOW:x}", NOW, 1)
        assert (value["source"], shown(value)) == (source, ["a"])
        assert "user" not in value


def test_a_change_is_published_when_asked() -> None:
    lists, _ = writer("50%b:", publish=True)
    commands = lists.user_list("böb", 1, NOW, "mf", b"")
    assert parts(commands[0])[:2] == (b"SET", "50%b:rec:böb".encode())
    assert parts(commands[1]) == (b"PUBLISH", b"50%b:rec", "böb".encode())
    assert fields(commands[0])["items"] == []


ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(ids, st.lists(ids, min_size=1, max_size=6, unique=True))
def test_ids_of_any_characters_are_json_of_themselves(user: str, names: list[str]) -> None:
    lists, catalogue = writer()
    slots = catalogue.slots(names).reshape(1, -1)
    (items,) = lists.items(made(slots))
    (command,) = lists.user_list(user, 1, NOW, "mf", items)
    assert fields(command)["user"] == user
    assert shown(fields(command)) == names
    assert fields(lists.similar_list(user, NOW, "mf", items))["item"] == user


def test_lists_of_several_rows_end_where_they_end() -> None:
    lists, catalogue = writer()
    slots = np.append(catalogue.slots(["a", "b" * 500]), np.int32(-1))
    rows = np.array([[0, 1, -1], [-1, -1, -1], [1, 0, 1]])
    written = lists.items(made(slots[rows]))
    decoded = [shown({"items": json.loads(b"[" + text + b"]")}) for text in written]
    assert decoded == [["a", "b" * 500], [], ["b" * 500, "a", "b" * 500]]
    assert lists.items(made(np.zeros((0, 3)))) == []


@pytest.mark.parametrize("name", ODD)
def test_odd_ids_are_found_under_the_documented_key(
    name: str, redis_url: str, redis_client: Any
) -> None:
    shard = OneShard()
    shard.learn(batch_of([(name, "other"), ("ann", name), ("ann", "other")]))
    learner = shard.learner
    commands = learner.user_lists(shard.slots(name, "ann"), NOW)
    commands += learner.shared_lists(NOW, everything=True)
    RedisWriter(RedisSettings(redis_url)).send(commands)

    def get(key: str) -> dict[str, Any]:
        value: dict[str, Any] = msgspec.json.decode(redis_client.get(key) or b"")
        return value

    assert get(f"rec:{name}")["user"] == name
    assert shown(get(f"rec:{name}")) == [name], "the item of that name"
    assert get(f"similar:{name}")["item"] == name
    assert name in shown(get("popular"))
    assert 0 < redis_client.ttl(f"rec:{name}") <= 60
