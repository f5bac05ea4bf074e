"""Test, then learn, against counting by hand."""

from __future__ import annotations

import importlib
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import udfs
from tests.udfs.builders import NOW, OneShard, batch_of, part, with_columns
from udfs.accounts import means
from udfs.learning.item_shard import ItemShard
from udfs.learning.quality import Quality, sums
from udfs.memory.catalogue import Catalogue
from udfs.models.content.features import WIDTH
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex

FOLDER = Path(udfs.__file__).parent
SHARES = np.array([0.5, 0.25, 0.125, 0.125])


def test_measures_of_one_list_each() -> None:
    lists = np.array([[2, 0, 1], [0, 1, -1], [1, 3, 0], [-1, -1, -1]], np.int32)
    found = sums(lists, np.array([1, 3, -1, 0], np.int32), SHARES)
    assert found["tests"] == 4
    assert [found[f"recall@{k}"] for k in (1, 5, 10, 20)] == [0, 1, 1, 1]
    assert found["mrr@10"] == pytest.approx(1 / 3)
    assert found["ndcg@10"] == pytest.approx(1 / math.log2(4))
    # Means of the first list (3, 1, 2 bits), the second (1, 2), the third (2, 3, 1); none of none.
    assert found["novelty@10"] == pytest.approx(2 + 1.5 + 2)


def test_beyond_rank_10_only_measures_at_20_count() -> None:
    lists = np.arange(20, dtype=np.int32).reshape(1, 20)
    found = sums(lists, np.array([10], np.int32), np.full(20, 0.05))
    names = ("recall@10", "recall@20", "mrr@10", "mrr@20", "ndcg@10")
    assert [found[name] for name in names] == [0, 1, 0, 1 / 11, 0]


def test_event_by_event_it_is_what_the_lists_before_each_event_held() -> None:
    random = np.random.default_rng(3)
    pairs = [(f"u{u}", f"i{i}") for u, i in random.integers(0, [8, 30], (200, 2))]
    shard, quality = OneShard(), Quality(1)
    totals: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    seen: dict[str, set[str]] = {}
    met: set[str] = set()
    for n in range(len(pairs)):
        (user, item), event = pairs[n], part(batch_of(pairs), n, n + 1)
        if user not in seen:
            expected["unknown_users"] += 1
        elif item in seen[user]:
            expected["repeats"] += 1
        else:
            (stored,) = shard.lists(user).values()
            rank = (
                [shown["item"] for shown in stored["items"]].index(item)
                if item in {shown["item"] for shown in stored["items"]}
                else None
            )
            expected["served:tests"] += 1
            expected["served:recall@5"] += rank is not None
            expected["new_items"] += item not in met
        found, _ = quality.test(shard.learner, event, shard.rows, shard.history, shard.number, NOW)
        totals.update(found)
        shard.learn(event)
        seen.setdefault(user, set()).add(item)
        met.add(item)
    assert expected["served:recall@5"] > 10
    assert {name: totals[name] for name in expected} == dict(expected)
    assert means(totals)["served:recall@5"] == totals["served:recall@5"] / totals["served:tests"]


def test_every_nth_event_is_tested_however_events_are_batched() -> None:
    pairs = [("ann", f"i{n}") for n in range(100)]
    for size in (1, 7, 100):
        shard, quality = OneShard(exclude_consumed=False), Quality(10)
        shard.learn(batch_of([("ann", "first")]))
        shard.number = 0
        tests = 0.0
        for begin in range(0, 100, size):
            batch = part(batch_of(pairs), begin, begin + size)
            found, _ = quality.test(
                shard.learner, batch, shard.rows, shard.history, shard.number, NOW
            )
            tests += found.get("served:tests", 0.0)
            shard.learn(batch)
        assert tests == 10


def test_dislikes_are_not_tested_and_nothing_is_if_switched_off() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a"), ("bob", "b")]))
    for every, weight in ((1, -1.0), (1, 0.0), (0, 1.0)):
        given = (batch_of([("ann", "b")], weight), shard.rows, shard.history, 0, NOW)
        assert Quality(every).test(shard.learner, *given) == ({}, {})


def test_a_shown_item_is_counted_once() -> None:
    shard, quality = OneShard(), Quality(1)
    shard.learn(batch_of([("ann", "a"), ("bob", "b"), ("bob", "c")]))
    given = (batch_of([("ann", "b")]), shard.rows, shard.history, 0, NOW)
    both = {"served": ["b", "c"], "popular": ["b", "c"]}
    assert quality.test(shard.learner, *given)[1] == both
    assert quality.test(shard.learner, *given)[1] == {}


def test_an_item_in_another_items_slot_is_counted() -> None:
    """Slots move when the catalogue is compacted."""
    shard, quality = OneShard(max_items=100_000), Quality(1)
    shard.learn(batch_of([("old", f"old {k}") for k in range(1100)]), NOW - 1000)
    shard.learn(batch_of([("ann", "a"), ("bob", "b"), ("bob", "c")]))

    def shown() -> set[str]:
        given = (batch_of([("ann", "b")]), shard.rows, shard.history, 0, NOW)
        by_list = quality.test(shard.learner, *given)[1]
        return {item for items in by_list.values() for item in items}

    assert shown()
    shard.learner.users.forget("old")
    shard.learner.expire_items(NOW - 500)
    assert shard.learner.catalogue.size == 3
    assert shown() <= {"b", "c"}
    shard.learn(batch_of([("bob", f"new {k}") for k in range(5)]))
    assert len(shown() & {f"new {k}" for k in range(5)}) >= 3
    assert shown() == set()


def compiled() -> dict[str, int]:
    """Signatures by kernel, of all modules of kernels."""
    files = [path.relative_to(FOLDER.parent) for path in FOLDER.rglob("*kernels.py")]
    modules = [importlib.import_module(".".join(file.with_suffix("").parts)) for file in files]
    assert len(modules) > 6
    return {
        f"{module.__name__}.{name}": len(kernel.signatures)
        for module in modules
        for name, kernel in vars(module).items()
        if hasattr(kernel, "signatures")
    }


@pytest.mark.parametrize("loss", ["softmax", "squared"])
@pytest.mark.parametrize("search", ["auto", "approximate"])
def test_nothing_is_compiled_while_events_come(
    loss: str, search: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("udfs.memory.catalogue.AUTOMATIC", 3)
    shard = OneShard(loss=loss, search=search)
    shard.learner.compile()
    options = shard.learner.settings
    ItemShard.compile(options)
    owner = ItemShard(Catalogue(8, 1, 100), Neighbours(options.item_cf), None, KeyIndex(), 1e9)
    quality = Quality(1, ["item-cf", "user-cf", "mf"])
    before = compiled()
    for name in (
        "ranking.ranker_kernels.train",
        "models.item_cf.counting_kernels.count",
        "ranking.list_kernels.make_lists",
    ):
        assert before[f"udfs.{name}"] >= 1
    for n in range(3):
        batch = batch_of([("ann", "a"), ("bob", "b"), ("ann", "b"), ("eve", f"c{n}")])
        batch = with_columns(batch, ratings=np.arange(4))
        given = (batch, shard.rows, shard.history, shard.number, NOW)
        quality.test(shard.learner, *given)
        learned = shard.learn(batch)
        made = shard.learner.user_lists(learned.slots, NOW)
        made += shard.learner.shared.updates(NOW, everything=True)
        _ = [some.json for some in made]
        owner.apply(*shard.messages.values())
        owner.changes(10**6, 10**6)
        owner.cut()
        for number, pairs in owner.stale(pairs=True):
            owner.chunk(number, pairs=pairs)
    assert compiled() == before


def test_items_that_few_took_are_told_apart_once_some_are_described() -> None:
    shard, quality = OneShard(length=5), Quality(1)
    shard.learn(batch_of([("ann", "a"), ("bob", "a"), ("bob", "b"), ("eve", "c")]))
    events = batch_of([("ann", "b"), ("eve", "new"), ("bob", "c")])
    given = events, shard.rows, shard.history, 0, NOW
    before, _ = quality.test(shard.learner, *given)
    assert not {name for name in before if "taken" in name}
    catalogue = shard.learner.catalogue
    slots = catalogue.slots(["new", "b"])
    catalogue.shown[slots] = True
    shard.learner.models.describe(slots, np.full((2, WIDTH), 16, np.int8))
    found, _ = quality.test(shard.learner, *given)
    assert found["never_taken:tests"] == found["new_items"] == before["new_items"] == 1
    assert found["seldom_taken:tests"] == 2
    parts = found["never_taken:recall@5"] + found["seldom_taken:recall@5"]
    assert parts == found["served:recall@5"]


def test_the_first_events_of_users_are_tests_by_themselves_in_an_evaluation() -> None:
    shard = OneShard()
    shard.learn(batch_of([("bob", "tea"), ("eve", "tea")]))
    shard.learner.models.forget_popular()
    quality = Quality(1, nth=True)

    def test(item: str) -> dict[str, float]:
        batch = batch_of([("ann", item)])
        return quality.test(shard.learner, batch, shard.rows, shard.history, 0, NOW)[0]

    found = test("tea")
    assert found["nth1:tests"] == found["nth1:recall@10"] == found["nth1 popular:recall@10"] == 1
    assert found["unknown_users"] == 1 and "served:tests" not in found
    assert test("new")["nth1:recall@10"] == 0
    shard.learn(batch_of([("ann", "tea")]))
    assert test("mug")["nth2:tests"] == 1
    assert not any(key.startswith("nth") for key in test("tea")), "she had it"
    plain = Quality(1).test(
        shard.learner, batch_of([("zoe", "tea")]), shard.rows, shard.history, 0, NOW
    )
    assert plain[0] == {"unknown_users": 1}
