"""What a guarded learner learns, serves and stores, with `guard`, `votes` and `serve_kernels`."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, OneShard, batch_of, decode, part, shown
from tests.udfs.fakes import DictState
from udfs.errors import ServiceError
from udfs.events.batch import EventBatch, item_key
from udfs.learning.guarded import Guarded, Turn
from udfs.learning.learner import Learned
from udfs.learning.votes import RECORD, Votes
from udfs.models.popular.first import bucket

HOUR = 3_600_000


class GuardedShard(OneShard):
    """A guarded learner with the state of its only shard."""

    def __init__(self, crowd: DictState | None = None, **settings: Any) -> None:
        super().__init__(**settings)
        self.crowd = crowd or DictState()
        self.votes = Votes(self.crowd)
        self.guarded = Guarded(self.learner, self.rows, self.history)

    def learn(self, batch: EventBatch, now_ms: int = NOW) -> Learned:
        learned = self.guarded.learn(batch, Turn(self.number, now_ms, self.mean), self.votes)
        self.messages = self.learner.messages(now_ms)
        self.number += len(batch)
        return learned


def honest(n: int = 3_000, seed: int = 0) -> EventBatch:
    """`n` events of 100 users within a day."""
    random = np.random.default_rng(seed)
    users, items = random.integers(0, 100, n), random.zipf(1.4, n) % 60
    times = np.sort(random.integers(0, 24 * HOUR, n)) + NOW
    pairs = [(f"u{u}", f"i{i}") for u, i in zip(users, items, strict=True)]
    return batch_of(pairs, ts=times.tolist())


def learn_in(shard: OneShard, batch: EventBatch, size: int = 50) -> dict[str, int]:
    """Learn a batch in parts; returns what was held back."""
    held: dict[str, int] = {}
    for begin in range(0, len(batch), size):
        for name, count in shard.learn(part(batch, begin, begin + size)).held.items():
            held[name] = held.get(name, 0) + count
    return held


def bot(n: int, every_ms: int, user: str = "bot") -> EventBatch:
    pairs = [(user, f"i{k % 50}") for k in range(n)]
    return batch_of(pairs, ts=range(NOW + 24 * HOUR, NOW + 24 * HOUR + n * every_ms, every_ms))


def items_of(shard: OneShard) -> dict[str, bytes]:
    catalogue = shard.learner.catalogue
    slots = catalogue.living_slots()
    names = catalogue.names(slots.tolist())
    return {n: r.tobytes() for n, r in zip(names, catalogue.rows(slots), strict=True)}


@pytest.mark.parametrize("size", [1, 50, 3_000])
def test_honest_users_are_learned_from_as_without_a_guard(size: int) -> None:
    plain, guarded = OneShard(), GuardedShard()
    learn_in(plain, honest(), size)
    assert not learn_in(guarded, honest(), size)
    assert guarded.rows.data == plain.rows.data
    assert guarded.history.data == plain.history.data
    assert items_of(guarded) == items_of(plain)


@pytest.mark.parametrize("size", [50, 2_000])
def test_a_fast_bot_is_served_but_soon_not_learned_from(size: int) -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    held = learn_in(shard, bot(2_000, 100), size)
    assert held["bots"] == 1
    assert held["held"] > 1_000
    learned, before = items_of(shard), shard.rows.data["bot"]
    more = batch_of([("bot", "i7"), ("bot", "new")], ts=NOW + 25 * HOUR)
    assert shard.learn(more).held == {"held": 2}
    assert shard.messages == {}
    assert items_of(shard) == learned | {"new": items_of(shard)["new"]}
    assert shard.rows.data["bot"] != before
    slot = shard.slots("bot")[0]
    assert shard.learner.users.events[slot] == 2_002
    history = shard.learner.users.history_of(int(slot)).tolist()
    assert shard.learner.catalogue.find(["new"])[0] in history
    [value] = shard.lists("bot").values()
    assert not {"i7", "new"} & set(shown(value))


def test_a_regular_bot_is_found_by_its_gaps_alone() -> None:
    """An event a minute is no more than others have."""
    shard = GuardedShard()
    learn_in(shard, honest())
    held = learn_in(shard, bot(200, 60_000))
    assert held["bots"] == 1
    assert 100 < held["held"] <= 152
    random = np.random.default_rng(3)
    gaps = np.exp(random.normal(11, 0.8, 200)).astype(np.int64)
    times = (NOW + 24 * HOUR + np.cumsum(gaps)).tolist()
    person = batch_of([("person", f"i{k % 50}") for k in range(200)], ts=times)
    assert not learn_in(shard, person)


def test_a_bot_is_forgotten_after_a_week() -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    learn_in(shard, bot(2_000, 100))
    after = NOW + 24 * HOUR + 2_000 * 100
    inside, outside = after + 6 * 24 * HOUR, after + 8 * 24 * HOUR
    assert shard.learn(batch_of([("bot", "i1")], ts=inside)).held == {"held": 1}
    assert shard.learn(batch_of([("bot", "i1")], ts=outside)).held == {}


def test_a_crowd_of_new_users_does_not_make_an_item_popular() -> None:
    pushed = [(f"w{k}", "pushed") for k in range(500)]
    farm = batch_of(pushed, ts=range(NOW + 24 * HOUR, NOW + 24 * HOUR + 500_000, 1_000))
    places = []
    for shard in (OneShard(length=60), GuardedShard(length=60)):
        learn_in(shard, honest())
        held = learn_in(shard, farm)
        popular = decode(shard.learner.shared.updates(NOW, everything=True))["popular"]
        places.append(shown(popular).index("pushed"))
    assert places[0] < 3
    assert places[1] > 10
    assert held["crowd"] == pytest.approx(478, abs=5)


def test_what_a_crowd_takes_first_does_not_count_either_when_it_comes_back() -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    first, later, last = shard.learner.models.popular.first, NOW + 24 * HOUR, NOW + 49 * HOUR
    before = first.now(last)
    learn_in(shard, batch_of([(f"w{k}", "pushed") for k in range(100)], ts=later))
    assert (first.now(last) == before).all(), "they may not stay"
    rest = [(f"w{k}", f"i{i % 50}") for k in range(100) for i in range(k, k + 9)]
    assert not learn_in(shard, batch_of(rest, ts=last), 900)
    counts = first.now(last) - before
    passed = counts[bucket(np.array([item_key("pushed")], np.uint64))]
    assert passed == pytest.approx(22, abs=3), "and 78 were held back"


def test_what_is_shown_only_says_nothing_about_its_user() -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    pairs = [("seer", f"i{k % 50}") for k in range(2_000)]
    assert not learn_in(shard, batch_of(pairs, 0.0, flags=0, ts=NOW + 24 * HOUR))


def test_the_state_remembers_bots_and_how_all_act() -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    learn_in(shard, bot(2_000, 100))
    again = GuardedShard(shard.crowd.copy(), rows=shard.rows.copy())
    assert np.array_equal(again.votes.counts, shard.votes.counts)
    assert again.votes.counts.sum(axis=1).tolist()[:2] == [101, 101]
    one = batch_of([("bot", "i1")], ts=NOW + 25 * HOUR)
    assert again.learn(one).held == {"held": 1}


def test_a_cache_of_one_user_makes_no_difference() -> None:
    small, large = GuardedShard(user_cache=1), GuardedShard()
    for shard in (small, large):
        learn_in(shard, honest(600))
        learn_in(shard, bot(2_000, 100), 500)
        mixed = batch_of([("bot", "i3"), ("u1", "i4"), ("bot", "i5")], ts=NOW + 25 * HOUR)
        learned = shard.learn(mixed)
        assert [shard.learner.users.names[k] for k in learned.slots] == ["bot", "u1"]
    assert small.rows.data == large.rows.data
    assert small.crowd.data == large.crowd.data


def test_whoever_is_forgotten_has_no_vote() -> None:
    shard = GuardedShard()
    learn_in(shard, honest())
    shard.votes.forget("u1", "nobody")
    assert "u1" not in shard.crowd.data
    shard.votes.forget(*(f"u{k}" for k in range(100)))
    assert not Votes(shard.crowd).counts.any()
    assert set(shard.crowd.data) == {""}


def test_a_record_of_another_form_is_refused() -> None:
    record = np.zeros(1, RECORD)
    record["version"] = 9
    votes = Votes(DictState({"ann": record.tobytes()}))
    with pytest.raises(ServiceError, match="how a user acts is stored in form 9"):
        votes.record("ann")
    with pytest.raises(ServiceError, match="how the users of a shard act"):
        Votes(DictState({"": b"\x01short"}))


def test_a_record_has_its_form() -> None:
    shard = GuardedShard()
    shard.learn(batch_of([("ann", "i1"), ("ann", "i2")], ts=[1_000, 61_000]))
    record = shard.votes.record("ann")
    rate = 1 + 2 ** (-60_000 / 600_000)
    assert shard.crowd.data["ann"][:4] == b"\x01\xff\xff\xff"
    assert len(shard.crowd.data["ann"]) == 40
    assert record["rate"] == pytest.approx(rate)
    assert (record["gaps"], record["at"], record["until"]) == (1, 61_000, 0)
    assert record["mean"] == pytest.approx(np.log(60.0))
    assert msgspec.msgpack.encode(shard.crowd.data[""])[-1] == 0
