from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of, keys
from udfs.events.batch import item_key
from udfs.learning.learner import Learner
from udfs.lists.keys import KEPT, USER
from udfs.models.popular.noised import Sums
from udfs.options.privacy import Privacy
from udfs.options.rules import Rule
from udfs.rules.rules import Rules

ITEMS = [f"i{number}" for number in range(40)]


@pytest.fixture
def fields() -> dict[str, dict[str, Any]]:
    """The items: ten of each of four brands, the last five new."""
    return {
        item: {"provider": f"b{number // 10}", "tags": ["new"] if number >= 35 else []}
        for number, item in enumerate(ITEMS)
    }


def taught(rules: list[Rule], fields: dict[str, dict[str, Any]], kept: int = 0) -> Learner:
    """A learner that knows what the rules say of the items, after some events."""
    shard = OneShard(rules=rules, kept=kept)
    pairs = [(f"u{n % 9}", ITEMS[(n * n + n // 7) % 40]) for n in range(300)]
    learner = shard.learner
    describe(learner, rules, fields)
    shard.learn(batch_of(pairs))
    return learner


def describe(learner: Learner, rules: list[Rule], fields: dict[str, dict[str, Any]]) -> None:
    catalogue = learner.catalogue
    slots = catalogue.slots(list(fields))
    judged = Rules(rules)
    verdicts = [judged.judge(some, item) for item, some in fields.items()]
    metadata = catalogue.metadata
    metadata.boost[slots] = np.log([verdict.boost for verdict in verdicts])
    metadata.bits[slots] = [verdict.bits for verdict in verdicts]
    metadata.groups[slots] = [
        metadata.group(some.get("categories", ()), some.get("provider", ""))
        for some in fields.values()
    ]


def lists(learner: Learner) -> list[dict[str, Any]]:
    made = learner.user_lists(np.arange(9, dtype=np.int32), NOW + 1)
    made += learner.shared.updates(NOW + 1, everything=True)
    return [msgspec.json.decode(text) for updates in made[:3] for text in updates.json]


def names(made: dict[str, Any]) -> list[str]:
    return [entry["item"] for entry in made["items"]]


def test_each_list_of_users_and_of_all_follows_the_rules(
    fields: dict[str, dict[str, Any]],
) -> None:
    rules = [
        Rule(most=2, of="brand"),
        Rule(when='item == "i7"', pin=2),
        Rule(when='"new" in tags', least=0.2),
    ]
    made = lists(taught(rules, fields))
    assert len(made) == 11
    for some in made:
        items = names(some)
        if some["source"] == "trending" and not items:
            continue
        assert len(items) == 5 == len({*items})
        rest = [fields[item]["provider"] for item in items if item != "i7"]
        assert max(map(rest.count, rest)) <= 2
        taken = "i7" in some.get("consumed", [])
        assert taken or items[1] == "i7"
        assert any("new" in fields[item]["tags"] for item in items)


def test_without_rules_about_lists_they_are_the_same(fields: dict[str, dict[str, Any]]) -> None:
    plain = lists(taught([], fields))
    assert lists(taught([Rule(when="hidden", exclude=True)], fields)) == plain
    far = lists(taught([Rule(when="hidden", boost=2.0)], fields))
    assert [names(some) for some in far] == [names(some) for some in plain]


def test_a_boost_brings_items_up(fields: dict[str, dict[str, Any]]) -> None:
    boosted = lists(taught([Rule(when='brand == "b3"', boost=1000.0)], fields))
    popular = next(some for some in boosted if some["source"] == "popular")
    assert all(fields[item]["provider"] == "b3" for item in names(popular))


def test_room_is_made_for_lists_of_any_number(fields: dict[str, dict[str, Any]]) -> None:
    learner = taught([Rule(most=1, of="brand")], fields)
    (updates,) = learner.user_lists(np.arange(9, dtype=np.int32), NOW + 1)
    (one,) = learner.user_lists(np.array([4], np.int32), NOW + 1)
    assert updates.lists.items[4].tolist() == one.lists.items[0].tolist()
    assert (updates.lists.items >= 0).sum(axis=1).max() == 4  # there are four brands
    assert updates.reasons is not None and updates.reasons.shape[:2] == (9, 5)


@pytest.mark.parametrize("rules", [[], [Rule(most=2, of="brand"), Rule(when="hidden", pin=1)]])
def test_what_follows_a_list_is_kept_besides(
    fields: dict[str, dict[str, Any]], rules: list[Rule]
) -> None:
    users, plain = np.arange(9, dtype=np.int32), taught(rules, fields)
    learner = taught(rules, fields, kept=7)
    kept, made = learner.user_lists(users, NOW + 1)
    assert (kept.kind, made.kind) == (KEPT, USER)
    (without,) = plain.user_lists(users, NOW + 1)
    assert made.lists.items.tolist() == without.lists.items.tolist()
    assert made.reasons is not None and without.reasons is not None
    assert made.reasons.tolist() == without.reasons.tolist()
    assert kept.lists.items.shape == (9, 7) and kept.names == made.names
    assert (kept.lists.items >= 0).sum() > 40
    for first, then in zip(made.lists.items.tolist(), kept.lists.items.tolist(), strict=True):
        both = [item for item in first + then if item >= 0]
        assert len(both) == len({*both})
        assert sorted(then, key=lambda item: item < 0) == then
    assert all(text.startswith(b'{"user":"u') for text in kept.json)
    shared = learner.shared.updates(NOW + 1, everything=True)
    assert [some.lists.items.shape for some in shared[:2]] == [(1, 5), (1, 5)]
    ((_, _, ranked),) = learner.models.rank(users, NOW + 1)
    assert ranked.items.tolist() == made.lists.items.tolist()


def test_with_noise_what_a_rule_adds_to_lists_for_everybody_follows_from_noisy_counts(
    fields: dict[str, dict[str, Any]],
) -> None:
    rules = [Rule(when='provider == "b3"', pin=1)]
    shard = OneShard(rules=rules, privacy=Privacy(epsilon=1.0))
    learner = shard.learner
    describe(learner, rules, fields)
    catalogue, noised = learner.catalogue, learner.models.popular.noised
    assert noised is not None
    catalogue.metadata.described[catalogue.find(ITEMS[:-1])] = True
    values = [[-1.0 if item < "i3" else -5.0, 0] for item in ITEMS]
    values[ITEMS.index("i33")][0], values[0][0] = -2.0, 3.0
    noised.put(Sums(5, keys(ITEMS), np.array(values, np.float32)), NOW)
    shard.learn(batch_of([(f"u{n}", "i39") for n in range(9)] + [("u1", "i35"), ("u2", "i35")]))
    made = learner.shared.updates(NOW + 1, everything=True)[0]
    assert names(msgspec.json.decode(made.json[0])) == ["i33", "i0"], "not i39, which others took"
    values = [[3.0 if item == "i0" else 0.0, 0] for item in ITEMS]
    noised.put(Sums(6, keys(ITEMS), np.array(values, np.float32)), NOW)
    meant = [item for item in ITEMS[:-1] if fields[item].get("provider") == "b3"]
    made = learner.shared.updates(NOW + 2, everything=True)[0]
    first = names(msgspec.json.decode(made.json[0]))[0]
    assert first == min(meant, key=item_key) != meant[0], "of equal ones, not who came first"
