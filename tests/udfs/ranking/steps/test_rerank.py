from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.feed.metadata import described
from udfs.learning.learner import Learner
from udfs.models.content.features import content_vector
from udfs.models.ranked import Told
from udfs.options.explore import Explore
from udfs.options.learning import Lists
from udfs.options.rerank import STEPS, Rerank
from udfs.options.rules import Rule
from udfs.ranking.steps.rerank import Reranking, reranks
from udfs.ranking.steps.rules import longer, needed
from udfs.rules.rules import Rules

ITEMS = [f"i{number}" for number in range(40)]
USERS = 9
ON = {"debias": 0.3, "calibration": 2.0, "diversity": 0.5}


def fields(item: str) -> dict[str, Any]:
    number = int(item[1:])
    kinds = [f"c{number % 4}", *([f"c{number % 3}"] if number % 5 == 0 else [])]
    return {"title": f"thing {number % 7}", "categories": kinds, "provider": f"b{number // 10}"}


def taught(
    rerank: Rerank | None = None, rules: list[Rule] | None = None, told: bool = True, **more: Any
) -> OneShard:
    """A shard that knows what the items are, after some events."""
    given, judged = rules or [], Rules(rules or [])
    shard = OneShard(rerank=rerank or Rerank(), rules=given, explore=Explore(share=0.0), **more)
    entries = [
        described(
            item,
            1,
            fields(item),
            content_vector(fields(item)).tobytes(),
            judged.judge(fields(item), item),
        )
        for item in ITEMS
    ]
    if told:
        shard.learner.describe(entries, NOW)
    shard.learn(batch_of([(f"u{n % USERS}", ITEMS[(n * n + n // 7) % 40]) for n in range(300)]))
    return shard


def lists(learner: Learner) -> list[dict[str, Any]]:
    made = learner.user_lists(np.arange(USERS, dtype=np.int32), NOW + 1)
    return [msgspec.json.decode(text) for updates in made for text in updates.json]


def names(made: dict[str, Any]) -> list[str]:
    return [entry["item"] for entry in made["items"]]


def test_with_all_steps_off_lists_are_as_before_whatever_their_order() -> None:
    assert not reranks(taught().learner.settings)
    backwards = Rerank(order=[*reversed(STEPS)])
    assert lists(taught(backwards).learner) == lists(taught().learner)
    assert lists(taught(Rerank(order=[], **ON)).learner) == lists(taught().learner)


@pytest.fixture(scope="module")
def long() -> Learner:
    """The same shard with lists as long as the candidates of others."""
    return taught(length=25).learner


@given(
    st.dictionaries(st.sampled_from([*ON]), st.floats(0.05, 10.0), min_size=1),
    st.permutations([*STEPS]),
    st.integers(0, 25),
    st.integers(1, 30),
)
def test_a_list_has_as_many_of_the_candidates_each_once(
    long: Learner, on: dict[str, float], order: list[str], count: int, keep: int
) -> None:
    users = np.arange(USERS, dtype=np.int32)
    ((_, _, found),) = long.models.rank(users, NOW + 1)
    reasons = np.arange(found.items.size * 2, dtype=np.int32).reshape(*found.items.shape, 2)
    found.items[:, count:], found.scores[:, count:] = -1, -np.inf
    told = Told(*found, reasons, np.empty((USERS, 0), np.int32))
    settings = replace(long.settings, lists=Lists(length=5), rerank=Rerank(order=order, **on))
    made = Reranking(settings, long.models.shop, long.models.content, keep).put(told, users)
    assert made.items.shape == (USERS, min(keep, 25))
    for row in range(USERS):
        own, given = made.items[row].tolist(), told.items[row].tolist()
        rest = [item for item in own if item >= 0]
        assert len(rest) == len({*rest}) == min(len(own), sum(item >= 0 for item in given))
        assert own[len(rest) :] == [-1] * (len(own) - len(rest))
        places = [given.index(item) for item in rest]
        assert made.reasons[row, : len(rest)].tolist() == reasons[row, places].tolist()
        assert made.models[row, : len(rest)].tolist() == told.models[row, places].tolist()
        scores = made.scores[row, : len(rest)].tolist()
        assert scores == sorted(scores, reverse=True)
        assert not scores or 0 <= scores[-1] <= scores[0] == told.scores[row, 0]


@pytest.mark.parametrize("step", ["calibration", "diversity"])
def test_where_no_item_is_described_the_order_is_kept(step: str) -> None:
    plain, on = (taught(Rerank(**given), told=False).learner for given in ({}, {step: 1.0}))
    assert [*map(names, lists(on))] == [*map(names, lists(plain))]


def test_steps_change_lists_and_their_order_matters() -> None:
    plain = [*map(names, lists(taught().learner))]
    strong = {"calibration": 10.0, "diversity": 3.0}
    each = [[*map(names, lists(taught(Rerank(**{k: v})).learner))] for k, v in strong.items()]
    both = [
        [*map(names, lists(taught(Rerank(order=order, **strong)).learner))]
        for order in (["calibration", "diversity"], ["diversity", "calibration"])
    ]
    assert plain not in each and each[0] != each[1] and both[0] != both[1]


def test_rules_hold_for_what_steps_have_chosen() -> None:
    rules = [Rule(most=1, of="brand"), Rule(when='item == "i7"', pin=2)]
    for made in lists(taught(Rerank(**ON), rules).learner):
        rest = [fields(item)["provider"] for item in names(made) if item != "i7"]
        assert len(rest) == len({*rest})


def test_what_follows_a_list_and_own_items_have_their_room() -> None:
    shard = taught(Rerank(**ON), kept=7)
    kept, made = shard.learner.user_lists(np.arange(USERS, dtype=np.int32), NOW + 1)
    assert kept.lists.items.shape == (USERS, 7) and made.lists.items.shape == (USERS, 5)
    for first, then in zip(made.lists.items.tolist(), kept.lists.items.tolist(), strict=True):
        both = [item for item in first + then if item >= 0]
        assert len(both) == len({*both})
    settings = taught(Rerank(**ON), exclude_own=True, kept=7).learner.settings
    assert (needed(settings), longer(settings).lists.length) == (17, 25)
    (own,) = taught(Rerank(**ON), exclude_own=True).learner.user_lists(np.arange(2), NOW + 1)
    assert own.lists.items.shape == (2, 5)


def test_lists_for_everybody_stay_as_they_are() -> None:
    made = [
        [some.json for some in taught(given).learner.shared.updates(NOW + 1, everything=True)[:2]]
        for given in (None, Rerank(**ON))
    ]
    assert made[0] == made[1]
