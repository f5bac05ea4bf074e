"""The fault suite's own books: a difference of a single event is found."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from benchmarks.faults.__main__ import Outcome, report, sequence
from benchmarks.faults.books import Books, compare
from benchmarks.faults.kinds import KINDS


def test_every_kind_is_equally_frequent_in_an_order_given_by_the_seed() -> None:
    chosen = sequence(4 * len(KINDS), 1, [])
    assert Counter(chosen) == dict.fromkeys(KINDS, 4)
    assert chosen == sequence(4 * len(KINDS), 1, []) != sequence(4 * len(KINDS), 2, [])
    assert set(sequence(3, 1, ["kafka"])) == {"kafka"}


@pytest.mark.parametrize(
    ("changed", "apart"),
    [
        ({}, {}),
        ({"users": {"ann": 3}}, {"users": 1}),
        ({"users": {"ann": 2, "eve": 5}}, {"users": 5}),
        ({"stats": {"learned": 1}}, {"totals": 1}),
        ({"stats": {"learned": 1, "refused": 1}}, {}),
        ({"users": {"ann": 2, "gone1": 0}}, {}),
        ({"letters": []}, {"letters": 1}),
        ({"letters": ["{", "[", "["]}, {"letters": 1, "repeated": 1}),
        ({"stats": {"described": 0}}, {"totals": 1}),
        ({"list": b'{"id":"0-1","items":[]}'}, {"topic": 1}),
        ({"list": None}, {"topic": 1}),
        ({"stats": {"attribution:position:1:views": 4}}, {"lists": 2, "experiment": 2}),
        ({"stats": {"experiment:faults:plain:views": 2}}, {"experiment": 1}),
        ({"stats": {"attribution:unknown_lists": 0, "attribution:unknown_items": 1}}, {}),
        ({"page": '{"price":1.0}'}, {"metadata": 1}),
        ({"page": "{}", "hidden": ["a", "c"]}, {"metadata": 4}),
    ],
)
def test_every_difference_is_counted(
    redis_url: str, redis_client: Any, monkeypatch: pytest.MonkeyPatch, changed: Any, apart: Any
) -> None:
    same: Any = {"users": {"ann": 2}, "stats": {}, "letters": ["{"], "hidden": ["b"]}
    same |= {"list": b'{"id":"0-2","items":[{"item":"a"}]}'}
    found = same | {"page": '{"price":2.0}'} | changed
    load: Any = SimpleNamespace(
        users=Counter(found["users"]),
        persons=Counter(found["users"]),
        items=Counter(a=2),
        sent=2,
        bad={"{"},
        written=7,
        described=1,
        seen=3,
        prices={"a": 2.0},
        hidden={"b"},
        cassandra=None,
    )
    stats = {"at": 1, "received": 7, "learned": 2, "described": 1, "ignored": 3}
    stats |= {"attribution:position:1:views": 2, "attribution:unknown_lists": 1}
    stats |= {"experiment:faults:now:views": 1, "experiment:faults:plain:views": 1} | found["stats"]
    redis_client.hset("stats", mapping={"dead": 1, "dead:not_json": 1} | stats)
    redis_client.set("item:a", found["page"])
    redis_client.sadd("hidden", *found["hidden"])
    redis_client.set("rec:ann", '{"id":"0-2","items":[]}')
    monkeypatch.setattr("benchmarks.faults.books.items", lambda url, shards: Counter(a=2))
    letters: Any = SimpleNamespace(
        lines=Counter(found["letters"]), lists=lambda: {"ann": found["list"]}
    )
    books = compare(load, redis_url, letters, 1)
    if changed.get("users"):  # then the totals differ too
        books.totals = 0
    assert books == Books(**apart)
    assert books.agree == (not set(apart) - {"repeated"})


def test_the_table_shows_what_was_lost() -> None:
    outcome = Outcome("kafka", 10, 3, 1.5, 2.5, Books(users=1, items=1))
    table = report([outcome, msgspec.structs.replace(outcome, recovery_s=4.5)])
    assert [list(column.cells) for column in table.columns][:4] == [
        ["kafka"],
        ["2"],
        ["6"],
        ["4"],
    ]
