"""What those took whom a user follows."""

from __future__ import annotations

import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.models.segments.names import of_profile
from udfs.models.social.source import EACH, MOST, Follows, Social


def following(shard: OneShard, user: str, *follows: str) -> Social:
    social = shard.learner.models.social
    social.follows.put(int(shard.slots(user)[0]), follows)
    return social


def found(shard: OneShard, user: str = "ann") -> list[str]:
    social = shard.learner.models.social
    return shard.learner.catalogue.names(list(social.found(int(shard.slots(user)[0]))))


def test_the_last_items_of_whom_one_follows_the_last_first() -> None:
    shard = OneShard()
    shard.learn(batch_of([("bob", f"i{n}") for n in range(50)]))
    following(shard, "ann", "bob", "nobody")
    assert found(shard) == [f"i{n}" for n in range(49, 49 - EACH, -1)]
    assert found(shard, "bob") == []


def test_what_several_took_is_first_and_named_after_the_nearest() -> None:
    shard = OneShard()
    shard.learn(batch_of([("bob", "b"), ("bob", "both"), ("cid", "both"), ("cid", "c")]))
    social = following(shard, "ann", "bob", "cid")
    both, *_ = social.found(int(shard.slots("ann")[0])).values()
    assert found(shard)[0] == "both" and both.name == "bob"
    assert both.score == pytest.approx(1 + np.exp(-1 / 4))


def test_what_was_disliked_consumed_or_may_not_be_shown_is_left_out() -> None:
    shard = OneShard()
    shard.learn(batch_of([("bob", "a"), ("bob", "b"), ("bob", "c"), ("bob", "d")], [1, 1, -1, 1]))
    shard.learn(batch_of([("ann", "a")]))
    following(shard, "ann", "bob")
    shard.learner.catalogue.shown[shard.learner.catalogue.find(["d"])] = False
    assert found(shard) == ["b"]


def test_the_newest_items_of_providers_and_categories() -> None:
    shard = OneShard()
    items = [f"i{n}" for n in range(4)]
    shard.learn(batch_of([("bob", item) for item in items]))
    c = shard.learner.catalogue
    rows = [c.metadata.group(["tea"], "7"), c.metadata.group([], "acme"),
            c.metadata.group(["tea"], ""), c.metadata.group(["pots"], "7")]  # fmt: skip
    published = np.array([NOW, NOW, NOW + 1, NOW + 2])
    c.metadata.put(c.find(items), groups=rows, published=published)
    for name, expected in (
        ("category:tea", ["i2", "i0"]), ("provider:acme", ["i1"]), ("author:7", ["i3", "i0"]),
        ("category:new", []),
    ):  # fmt: skip
        following(shard, "ann", name)
        assert found(shard) == expected


def test_of_equal_ones_the_newest_is_first() -> None:
    shard = OneShard()
    items = [f"i{n}" for n in range(6)]
    shard.learn(batch_of([("bob", item) for item in items]))
    c = shard.learner.catalogue
    rows = [c.metadata.group([], f"a{n % 3}") for n in range(6)]
    published = np.array([NOW + 4, NOW, NOW + 5, NOW + 2, NOW - 1, NOW + 1])
    c.metadata.put(c.find(items), groups=rows, published=published)
    following(shard, "ann", "author:a0", "author:a1", "author:a2")
    assert found(shard) == ["i2", "i0", "i1", "i3", "i5", "i4"]


def test_follows_are_bounded_and_leave_memory_with_their_user() -> None:
    follows = Follows()
    follows.put(3, (f"u{n}" for n in range(2 * MOST)))
    follows.put(4, ["bob"])
    assert len(follows.of[3]) == MOST
    follows.clear(np.array([3]))
    follows.put(4, [])
    assert follows.of == {}
    assert of_profile({"follows": ["bob"]}) == [], "whom one follows is no segment"
