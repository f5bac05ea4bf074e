"""Test, then learn, against counting by hand."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import msgspec
import numpy as np
import pytest

from flink_app.evaluate.baselines import BASELINES, Shape
from flink_app.evaluate.baselines.popular import Popular
from flink_app.evaluate.prequential import Prequential, Rule
from flink_app.evaluate.stream import Stream


def stream_of(users: list[int], items: list[int], **columns: Any) -> Stream:
    n = len(users)
    return Stream(
        users=np.array(users, np.int32),
        items=np.array(items, np.int32),
        weights=np.array(columns.get("weights", [1.0] * n), np.float32),
        consumed=np.array(columns.get("consumed", [True] * n)),
        counted=np.array(columns.get("counted", [True] * n)),
        ratings=np.array(columns.get("ratings", [math.nan] * n)),
        times=np.arange(n, dtype=np.float64),
        shape=Shape(max(users) + 1, max(items) + 1, n),
    )


def random_stream(count: int = 300) -> Stream:
    pairs = np.random.default_rng(8).integers(0, [9, 25], (count, 2))
    return stream_of(pairs[:, 0].tolist(), pairs[:, 1].tolist())


def run(stream: Stream, name: str = "popular", **options: Any) -> Any:
    return Prequential(stream, BASELINES[name](stream.shape), 20, **options).run(1)


@pytest.mark.parametrize("warmup", [0, 100])
def test_popularity_event_by_event(warmup: int) -> None:
    stream, expected = random_stream(), Counter[str]()
    counts: Counter[int] = Counter()
    seen: dict[int, set[int]] = {}
    shown: set[int] = set()
    for n in range(300):
        user, item = int(stream.users[n]), int(stream.items[n])
        if n < warmup:
            pass
        elif user not in seen:
            expected["unknown_users"] += 1
        elif item in seen[user]:
            expected["repeats"] += 1
        else:
            free = [other for other in counts if other not in seen[user]]
            ranked = sorted(free, key=lambda other: (-counts[other], other))
            expected["tests"] += 1
            expected["new_items"] += item not in counts
            shown |= set(ranked[:10])
            top = ranked[:10] or [item]
            expected["novelty"] -= sum(math.log2(counts[i] / n) for i in ranked[:10]) / len(top)
            if item in ranked[:10]:
                expected["recall"] += 1
                expected["mrr"] += 1 / (ranked.index(item) + 1)
        seen.setdefault(user, set()).add(item)
        counts[item] += 1
    result = run(stream, rule=Rule(warmup))
    quality, tests = result.quality, expected["tests"]
    assert (result.model, result.mode, result.events) == ("popular", "strict", 300)
    assert quality["served:tests"] == tests
    for name in ("unknown_users", "repeats", "new_items"):
        assert quality.get(name, 0) == expected[name]
    for name in ("recall", "mrr", "novelty"):
        assert quality[f"served:{name}@10"] == pytest.approx(expected[name] / tests)
    assert quality["served:coverage@10"] == len(shown) / 25
    assert result.curve[-1].tests == tests and result.curve[-1].popular is None


def test_what_may_be_recommended_again_is_tested_again() -> None:
    stream = stream_of([0, 0, 0], [0, 0, 1], consumed=[False, False, False])
    quality = run(stream).quality
    assert (quality["served:tests"], quality["served:recall@1"]) == (2, 0.5)
    assert "repeats" not in quality
    consumed = stream_of([0, 0, 0], [0, 0, 1])
    assert run(consumed).quality["repeats"] == 1
    assert run(consumed, exclude_consumed=False).quality["served:tests"] == 2


def test_a_dislike_is_no_test_and_not_learned_but_known_and_consumed() -> None:
    stream = stream_of([0, 0, 1, 1], [0, 1, 1, 0], weights=[-1.0, 1.0, 1.0, 1.0])
    quality = run(stream).quality
    assert (quality["served:tests"], quality["new_items"]) == (2, 1)
    # The second test is of item 0, which nobody liked, and which stands in the list as the last.
    assert quality["served:recall@1"] == 0.5


def test_a_model_of_ratings_learns_those_that_do_not_count_and_is_asked_before() -> None:
    ratings = [1.0, 5.0, 4.0, 2.0]
    stream = stream_of(
        [0, 0, 1, 1], [0, 1, 0, 1], ratings=ratings, counted=[False, True, True, False]
    )
    model = BASELINES["biased-mf"](stream.shape)
    errors = []
    for user, item, rating in zip([0, 0, 1, 1], [0, 1, 0, 1], ratings, strict=True):
        errors.append(rating - model.predict(user, item))
        model.learn(user, item, rating)
    result = run(stream, "biased-mf")
    assert result.rmse == pytest.approx(math.sqrt(sum(e * e for e in errors) / 4))
    assert result.events == 2
    # Those that are no events of the evaluation are no candidates either.
    assert result.quality == {"unknown_users": 2}
    last = run(stream, "biased-mf", rule=Rule(2))
    assert last.rmse == pytest.approx(abs(errors[-1]))
    assert run(random_stream(), "biased-mf").rmse is None


def test_a_seed_of_a_run_is_reproducible_and_time_is_told() -> None:
    one, two = (run(random_stream(), "raisgd") for _ in range(2))
    assert one.quality == two.quality
    assert one.microseconds.keys() == {"update", "list"}
    assert msgspec.json.decode(msgspec.json.encode(one), type=type(one)) == one


class Telling(Popular):
    """Notes what it is asked."""

    def __init__(self, shape: Shape, seed: int = 1) -> None:
        super().__init__(shape, seed)
        self.told: list[str] = []

    def learn(self, user: int, item: int, value: float) -> None:
        self.told.append("learn")
        super().learn(user, item, value)

    def begin_tests(self) -> None:
        self.told.append("begin")

    def scores(self, user: int) -> np.ndarray:
        self.told.append("list")
        return super().scores(user)


@pytest.mark.parametrize("warmup", [0, 1, 100])
def test_the_warmup_ends_once_and_before_the_first_test(warmup: int) -> None:
    stream = random_stream()
    model = Telling(stream.shape)
    Prequential(stream, model, 20, rule=Rule(warmup)).run(1)
    place = model.told.index("begin")
    # The first list is none of a test: what it compiles is not measured.
    assert model.told[:place] == ["list", *["learn"] * warmup]
    assert model.told.count("begin") == 1 and "list" in model.told[place:]


def test_a_frozen_baseline_follows_its_users_and_learns_nothing_more() -> None:
    stream = random_stream()
    frozen = BASELINES["item-knn"](stream.shape)
    told: list[tuple[int, int]] = []
    frozen.follow = lambda user, item: told.append((user, item))  # type: ignore[method-assign]
    Prequential(stream, frozen, 20, rule=Rule(100, freeze=True)).run(1)
    pairs = list(zip(stream.users.tolist(), stream.items.tolist(), strict=True))
    assert told == pairs[100:]
    learned = BASELINES["item-knn"](stream.shape)
    for user, item in pairs[:100]:
        learned.learn(user, item, 1.0)
    for user in range(9):
        assert np.array_equal(frozen.scores(user), learned.scores(user))
