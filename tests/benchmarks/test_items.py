"""What `benchmarks.items` counts."""

from __future__ import annotations

import json

import numpy as np
import redis

from benchmarks.items import item_lines, recall, trial
from benchmarks.items_live import holders, most_listed, quantiles
from benchmarks.load import ITEMS
from benchmarks.served import Shown, Stage


def put(client: redis.Redis, user: int, *items: str) -> None:
    entries = [{"item": item} for item in items]
    client.set(f"rec:u{user}", json.dumps({"items": entries}))


def test_the_item_that_most_lists_have_and_how_many(redis_client: redis.Redis) -> None:
    put(redis_client, 0, "a", "b")
    put(redis_client, 1, "b", "c")
    put(redis_client, 3, "cb")
    assert most_listed(redis_client, 5) == "b"
    assert holders(redis_client, "b", 5) == 2
    assert holders(redis_client, "b", 1) == 1
    assert holders(redis_client, "x", 5) == 0


def test_quantiles_of_nothing_are_left_out() -> None:
    assert quantiles([]) == {"timed": 0}
    assert quantiles([3.0, 1.0, 2.0]) == {
        "timed": 3,
        "p50_ms": 2.0,
        "p99_ms": 3.0,
        "p100_ms": 3.0,
    }


def test_hits_are_told_apart_by_how_often_the_item_was_taken() -> None:
    taken, hits = np.array([0, 0, 3, 9, 9]), np.array([True, False, False, True, False])
    n = np.zeros(5)
    wanted = np.array([5, 6, 7, 8, 4])
    found = recall(Shown(n, n, n[:, None], {}, wanted, taken, hits), 5)
    assert (found["never taken"], found["taken 1 to 4 times"], found["others"]) == (0.5, 0.0, 1.0)
    assert found["never taken, tests"] == 2


def test_the_workload_describes_each_of_its_items() -> None:
    items = {json.loads(line)["item"] for line in item_lines()}
    assert items == {f"i{number}" for number in range(ITEMS)}


def test_a_trial_tells_the_learner_what_its_items_are() -> None:
    stage = Stage(trial(1, metadata=True, blocks=2))
    shown = stage.run()
    assert stage.learner.catalogue.metadata.described.sum() >= 400
    assert len(shown.taken) == len(shown.hits) == len(shown.wanted)
    assert (shown.taken == 0).any()
