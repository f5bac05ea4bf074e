"""Which of the shared lists are due when."""

from __future__ import annotations

from typing import Any

from tests.udfs.builders import NOW, OneShard, batch_of, decode


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
