"""Nobody's list has what they have published themselves, wherever it came from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, decode, shown
from udfs.events.searches import Search
from udfs.learning.quality import Quality
from udfs.memory.metadata import NEVER
from udfs.models.content.features import content_vector
from udfs.models.popular.source import NEAR_TOP
from udfs.options.explore import Explore
from udfs.options.rules import Rule
from udfs.options.social import Social
from udfs.ranking.steps.own import _noted
from udfs.rules.rules import Rules

USERS, LENGTH = 6, 5
ITEMS = [f"i{n}" for n in range(30)]
_words = "red kettle", "oak chair", "blue kite"


def shop(authors: list[int], length: int = LENGTH, **options: Any) -> OneShard:
    """Item n is by user `authors[n]` and about one of three things; some have events."""
    explore = options.pop("explore", Explore(share=0.0))
    shard = OneShard(length=length, explore=explore, **options)
    learner, rules = shard.learner, Rules(options.get("rules", ()))
    c = learner.catalogue
    slots = c.slots(ITEMS)
    providers = [f"u{author}" for author in authors]
    bits = [
        rules.judge({"provider": who}, item).bits
        for who, item in zip(providers, ITEMS, strict=True)
    ]
    c.metadata.put(
        slots,
        groups=[c.metadata.group(["news"], who) for who in providers],
        allowed=True,
        expires=NEVER,
        bits=bits,
    )
    vectors = [content_vector({"title": _words[n % 3]}) for n in range(len(ITEMS))]
    learner.describe([], NOW)
    learner.models.describe(slots, np.stack(vectors))
    c.shown[slots] = True
    shard.learn(batch_of([(f"u{n % USERS}", f"i{n * n % 20}") for n in range(60)]))
    return shard


def own_of(authors: list[int], user: int) -> set[str]:
    return {item for item, author in zip(ITEMS, authors, strict=True) if author == user}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, USERS), min_size=len(ITEMS), max_size=len(ITEMS)))
def test_lists_are_longer_ones_without_own_items(authors: list[int]) -> None:
    names = [f"u{n}" for n in range(USERS)]
    shard = shop(authors, exclude_own=True)
    found, learner = shard.lists(*names), shard.learner
    order = learner.models.popular.look(NOW).strangers.order[: NEAR_TOP * 2 * LENGTH]
    popular = {*learner.catalogue.names(order.tolist())}
    plain = shop(authors, 2 * LENGTH).lists(*names)
    for user, name in enumerate(names):
        own, both = own_of(authors, user), (plain[f"rec:{name}"], found[f"rec:{name}"])
        others = [entry for entry in both[0]["items"] if entry["item"] not in own][:LENGTH]
        assert both[1]["items"] == others
        noted = {*both[1].get("consumed", ())}
        assert noted >= own & popular, "nothing else fills the list with them"


def test_off_nothing_changes() -> None:
    authors = [n % USERS for n in range(len(ITEMS))]
    made = shop(authors).lists("u0", "u1")
    assert any(own_of(authors, n) & {*shown(made[f"rec:u{n}"])} for n in (0, 1))
    assert all(len(shown(one)) == LENGTH for one in made.values())


SOURCES: dict[str, dict[str, Any]] = {
    "followed": {"social": Social(share=0.5)},
    "searched": {},
    "explored": {"explore": Explore(share=0.5)},
    "pinned": {"rules": [Rule(when='provider == "u0"', pin=2)]},
    "wanted": {"rules": [Rule(when='provider == "u0"', least=2)]},
    "kept": {"kept": 7},
    "popular": {"served": "popular"},
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("exclude", [True, False])
def test_not_from_any_source(source: str, exclude: bool) -> None:
    authors = [0 if n % 3 == 0 else 1 for n in range(len(ITEMS))]
    shard = shop(authors, exclude_own=exclude, **SOURCES[source])
    learner = shard.learner
    slots = shard.slots("u0")
    if source == "followed":
        learner.models.social.follows.put(int(slots[0]), ["category:news", "provider:u0"])
    if source == "searched":
        learner.models.steps.searches.take([Search("u0", "red kettle", NOW)])
    if source == "explored":
        learner.models.steps.explore.look()
    made = decode(learner.user_lists(slots, NOW + 1))
    listed = [item for one in made.values() for item in shown(one)]
    own = {*listed} & own_of(authors, 0)
    assert not own if exclude else own or source == "explored"
    if source == "kept":
        assert LENGTH < len(shown(made["kept:u0"])) <= 7
    if source in ("followed", "searched", "explored", "popular"):
        assert len(listed) == LENGTH, "others have their places"


def test_each_id_of_a_person_counts() -> None:
    authors = [0] * 10 + [1] * 20
    shard = shop(authors, exclude_own=True)
    shard.slots("u2")
    shard.learner.users.others = {"u2": ["u0"]}
    assert not own_of(authors, 0) & {*shown(shard.lists("u2")["rec:u2"])}
    assert own_of(authors, 0) & {*shown(shard.lists("u3")["rec:u3"])}


def test_an_event_on_an_own_item_is_no_test() -> None:
    authors = [5] * len(ITEMS)
    for exclude in (True, False):
        shard = shop(authors, exclude_own=exclude, exclude_consumed=False)
        batch = batch_of([("u5", "i7"), ("u4", "i7")])
        quality = Quality(1)
        given = shard.learner, batch, shard.rows, shard.history, shard.number, NOW
        totals, _ = quality.test(*given)
        assert (totals["served:tests"], totals.get("repeats", 0)) == ((1, 1) if exclude else (2, 0))


def test_own_items_leave_the_rest_of_what_was_consumed_in_its_order() -> None:
    """The last one first."""
    authors, orders = [n % 7 for n in range(len(ITEMS))], []
    made = shop(authors, exclude_own=True).lists(*(f"u{n}" for n in range(USERS)))
    for user in range(USERS):
        own, found = own_of(authors, user), made[f"rec:u{user}"].get("consumed", [])
        rest = [item for item in found if item not in own]
        taken = dict.fromkeys(f"i{n * n % 20}" for n in range(user, 60, USERS))
        assert rest == [item for item in reversed(taken) if item in rest]
        orders.append([ITEMS.index(item) for item in rest])
    assert any(order != sorted(order) for order in orders), "in which order items came first"


@given(st.lists(st.integers(0, 40), unique=True), st.lists(st.integers(-1, 30), max_size=12))
def test_of_a_full_row_own_items_take_half(own: list[int], row: list[int]) -> None:
    mine, consumed = np.array(own, np.int64), np.array([*dict.fromkeys(row)], np.int32)
    found = _noted(mine, consumed).tolist()
    known = [item for item in consumed.tolist() if item >= 0 and item not in own]
    noted = [item for item in found if item >= 0]
    led = len([item for item in noted if item in own])
    assert noted == own[:led] + known[: len(noted) - led] and len(found) == len(consumed)
    assert len(noted) - led >= min(len(known), len(found) // 2), "the last ones are still there"
    assert len(noted) == min(len(found), len(own) + len(known))
