"""Which of the shared lists are due when."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.udfs.builders import NOW, OneShard, batch_of, decode, keys, shown
from udfs.feed.metadata import Described
from udfs.models.popular.first import BUCKETS
from udfs.models.popular.noised import Sums
from udfs.options.privacy import Privacy


def test_popular_and_trending_are_written_at_intervals() -> None:
    shard = OneShard(popular_every_s=2.0)
    shard.learn(batch_of([("ann", "a")]))

    def kinds(now: int, **how: Any) -> list[str]:
        return [some.kind.key for some in shard.learner.shared.updates(now, **how)]

    assert kinds(NOW) == ["popular", "trending", "similar:"]
    assert kinds(NOW + 1999) == []
    assert kinds(NOW + 2000) == ["popular", "trending"]
    assert kinds(NOW + 2001, everything=True) == ["popular", "trending"]


def test_similar_lists_are_written_when_they_are_due() -> None:
    shard = OneShard(similar_every_s=10.0)
    learner = shard.learner

    def similar(now: int, **how: Any) -> list[str]:
        keys = decode(learner.shared.updates(now, **how))
        return sorted(key[8:] for key in keys if key.startswith("similar:"))

    shard.learn(batch_of([("ann", f"item {k:03}") for k in range(262)]))
    assert similar(NOW) == [f"item {k:03}" for k in range(32)]
    assert learner.shared.busy(NOW)
    assert similar(NOW + 124) == [], "looked at eight times a second"
    for n in range(1, 8):
        found = similar(NOW + n * 125)
        assert found == [f"item {k:03}" for k in range(32 * n, 32 * n + 32)]
    assert similar(NOW + 1000) == [f"item {k:03}" for k in range(256, 262)]
    assert not learner.shared.waiting
    shard.learn(batch_of([("bob", "item 001")]))
    assert similar(NOW + 9_999) == []
    assert learner.shared.waiting and not learner.shared.busy(NOW + 9_999)
    assert similar(NOW + 11_000) == ["item 001"]
    shard.learn(batch_of([("bob", "item 002")]))
    assert similar(NOW + 11_001, everything=True) == ["item 002"]


def test_lost_lists_of_items_are_all_due_at_once() -> None:
    shard = OneShard(similar_every_s=1000.0)
    shared = shard.learner.shared
    shard.learn(batch_of([("ann", "a"), ("ann", "b")]))
    assert shared.waiting
    assert len(decode(shared.updates(NOW))) == 4
    assert not shared.waiting
    shared.lost()
    assert shared.waiting
    assert {"similar:a", "similar:b"} <= decode(shared.updates(NOW + 1000)).keys()
    assert not shared.waiting


def test_categories_have_lists_of_their_own() -> None:
    shard = OneShard(popular_every_s=2.0)
    learner = shard.learner
    shard.learn(batch_of([(f"user {n}", name) for n in range(3) for name in ("a", "b", "c")[n:]]))
    assert len(decode(learner.shared.updates(NOW))) == 5, "nothing is known of the items"
    odd = 'odd: "é"'
    learner.describe([Described("c", 1, categories=["tea", odd])], NOW)
    learner.describe([Described("b", 1, categories=["tea"])], NOW)
    found = decode(learner.shared.updates(NOW + 10_000))
    assert shown(found["popular:tea"]) == ["c", "b"]
    assert shown(found[f"popular:{odd}"]) == ["c"]
    assert found["popular:tea"]["category"] == "tea"
    assert found["popular:tea"]["source"] == "popular"
    assert found["popular:tea"]["items"][0]["score"] == 1
    assert found["trending:tea"]["items"] == []
    again = decode(learner.shared.updates(NOW + 12_000))
    assert sorted(again) == ["popular", "trending"], "later"
    assert "popular:tea" in decode(learner.shared.updates(NOW + 20_000))
    learner.describe([Described("c", 2, shown=False, categories=["tea", "new"])], NOW + 20_002)
    found = decode(learner.shared.updates(NOW + 20_002))
    assert shown(found["popular:tea"]) == ["b"], "at once"
    assert shown(found[f"popular:{odd}"]) == [], "nothing is left in it"
    assert "popular:new" not in found
    found = decode(learner.shared.updates(NOW + 30_003))
    assert sorted(key for key in found if ":" in key) == ["popular:tea", "trending:tea"]


def test_segments_have_lists_and_lose_them() -> None:
    shard = OneShard(popular_every_s=2.0)
    learner = shard.learner
    [slot] = learner.users.locate(["ann"], shard.rows, shard.history, learner.catalogue).values()
    learner.models.segments.describe_user(slot, ['job:"é"'], ())
    shard.learn(batch_of([("ann", f"item {k}") for k in range(10)]))
    found = decode(learner.shared.updates(NOW))
    assert found['segment:job:"é"']["segment"] == 'job:"é"'
    assert found["segment:all"]["items"][0]["item"] in ("item 0", "item 1")
    assert found["segment:all"]["source"] == "segments"
    learner.models.segments.counts.put('job:"é"', np.zeros(BUCKETS))
    learner.messages(NOW)
    learner.models.segments.counts.put('job:"é"', np.zeros(BUCKETS))
    assert decode(learner.shared.updates(NOW + 10_000))['segment:job:"é"']["items"] == []


def noised_shard(**values: float) -> OneShard:
    """A shard whose published counts have noise, with these sums of a, b and c; d is not
    described."""
    shard = OneShard(popular_every_s=2.0, privacy=Privacy(epsilon=1.0))
    learner = shard.learner
    learner.describe([Described(item, 1, categories=["tea"]) for item in "abc"], NOW)
    pairs = [(f"user {n}", item) for n, item in enumerate("aaaaabbbcddddddd")]
    shard.learn(batch_of(pairs))
    sums = np.array([[value, 0] for value in values.values()], np.float32)
    assert learner.models.popular.noised is not None
    learner.models.popular.noised.put(Sums(5, keys(values), sums.reshape(-1, 2)), NOW)
    return shard


def test_with_noise_lists_for_everybody_are_those_of_the_noisy_counts() -> None:
    shard = noised_shard(a=-1, b=2, c=8)
    found = decode(shard.learner.shared.updates(NOW, everything=True))
    assert sorted(found) == ["popular", "popular:tea", "trending", "trending:tea"]
    for key in ("popular", "popular:tea"):
        assert shown(found[key]) == ["c", "b"]
        assert [entry["score"] for entry in found[key]["items"]] == [1, 0.25]
    assert shown(shard.lists("user 0")["rec:user 0"])[0] == "d", "the user's own list is exact"


def test_with_noise_no_item_and_no_segment_has_a_list() -> None:
    shard = noised_shard(a=3, b=2, c=1)
    learner = shard.learner
    learner.models.segments.counts.add(
        [0, learner.models.segments.counts.number("job:cook")], 5, NOW
    )
    learner.shared.lost()
    learner.describe([Described("a", 2, categories=["tea"])], NOW + 1)
    assert not learner.shared.waiting
    kinds = {some.kind.key for some in learner.shared.updates(NOW + 10_000, everything=True)}
    assert not kinds & {"similar:", "segment:"}


def test_with_noise_users_are_told_which_of_the_published_items_they_consumed() -> None:
    shard = noised_shard(a=3, b=2, c=1)
    shard.learn(batch_of([("ann", item) for item in "abd"]))
    assert sorted(shard.lists("ann")["rec:ann"]["consumed"]) == ["a", "b"]


def test_before_the_first_day_is_closed_lists_for_everybody_are_empty() -> None:
    found = decode(noised_shard().learner.shared.updates(NOW, everything=True))
    assert [value["items"] for value in found.values()] == [[]] * 4
