"""The learner as a whole, over a state in memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, decode, part, shown, with_columns
from tests.udfs.fakes import DictState
from udfs.events.batch import EventBatch
from udfs.memory.catalogue import Catalogue


def stream(n: int, seed: int = 0) -> EventBatch:
    """`n` events of a small shop, positive and negative, in order of time."""
    random = np.random.default_rng(seed)
    users = [f"user {k}" for k in random.integers(0, 40, n)]
    items = [f"item {k}" for k in random.zipf(1.3, n) % 150]
    weights = random.choice([1.0, 0.5, 3.0, -1.0, 0.0], n)
    return batch_of(zip(users, items, strict=True), weights.tolist(), ts=range(NOW, NOW + n))


def learn_in(shard: OneShard, batch: EventBatch, size: int) -> OneShard:
    for begin in range(0, len(batch), size):
        shard.learn(part(batch, begin, begin + size))
    return shard


def items_of(shard: OneShard) -> dict[str, bytes]:
    catalogue = shard.learner.catalogue
    slots = catalogue.living_slots()
    names = catalogue.names(slots.tolist())
    return {n: r.tobytes() for n, r in zip(names, catalogue.rows(slots), strict=True)}


@pytest.mark.parametrize("size", [1, 7, 400])
def test_2000_events_at_once_and_in_batches_are_the_same(size: int) -> None:
    """Exactly, bit for bit: an item is drawn as a negative only after its own first event."""
    batch = stream(2000)
    whole = learn_in(OneShard(), batch, 2000)
    parts = learn_in(OneShard(), batch, size)
    assert whole.rows.data == parts.rows.data
    assert whole.history.data == parts.history.data
    assert items_of(whole) == items_of(parts)


def rated(n: int) -> EventBatch:
    """Most of them explicit ratings: even users like even items, odd ones odd items."""
    random = np.random.default_rng(4)
    users, items = random.integers(0, [[40], [30]], (2, n))
    ratings = np.where((users + items) % 2 == 0, 5.0, 1.0)
    ratings[random.random(n) < 0.1] = np.nan
    pairs = [(f"user {u}", f"item {i}") for u, i in zip(users, items, strict=True)]
    batch = batch_of(pairs, np.where(ratings > 3, 1.0, -0.6).tolist(), ts=range(NOW, NOW + n))
    return with_columns(batch, ratings=ratings)


@pytest.mark.parametrize("size", [1, 7, 400])
def test_ratings_at_once_and_in_batches_are_the_same(size: int) -> None:
    batch = rated(2000)
    whole = learn_in(OneShard(loss="squared"), batch, 2000)
    parts = learn_in(OneShard(loss="squared"), batch, size)
    assert whole.rows.data == parts.rows.data
    assert items_of(whole) == items_of(parts)
    assert np.array_equal(whole.mean, parts.mean)


@pytest.mark.parametrize("scale", [1.0, 20.0])
def test_ratings_are_predicted_better_and_better_on_any_scale(scale: float) -> None:
    batch = rated(6000)
    ratings = batch.ratings * np.float32(scale)
    shard = OneShard(
        loss="squared", rating_scale=2.5 * scale, learning_rate=0.12, served="mf", user_cache=9
    )
    errors = []
    for begin in range(0, 6000, 1000):
        one = with_columns(batch, ratings=ratings)
        quality = shard.learn(part(one, begin, begin + 1000)).quality
        errors.append((quality["ratings:squared_error"] / quality["ratings:tests"]) ** 0.5 / scale)
    assert errors[0] > 1  # 2 is chance
    assert errors[-1] < 0.5
    assert sorted(errors, reverse=True) == errors


@pytest.mark.parametrize("served", ["mf", "ranker", "item-cf"])
def test_lists_come_from_predicted_ratings(served: str) -> None:
    shard = OneShard(loss="squared", learning_rate=0.12, served=served, exclude_consumed=False)
    shard.learner.compile()
    learn_in(shard, rated(4000), 100)
    (even, odd) = (shown(value) for value in shard.lists("user 2", "user 3").values())
    own = [int(item[5:]) % 2 == 0 for item in even] + [int(item[5:]) % 2 == 1 for item in odd]
    assert np.mean(own) > 0.8


def test_the_same_batches_draw_the_same_negatives() -> None:
    batch = stream(600)
    one, other = (learn_in(OneShard(), batch, 60) for _ in range(2))
    assert one.rows.data == other.rows.data
    assert items_of(one) == items_of(other)
    another_seed = learn_in(OneShard(seed=2), batch, 60)
    assert items_of(another_seed) != items_of(one)


def test_a_replay_from_a_checkpoint_learns_the_same() -> None:
    """The users' state goes back, as Flink restores it; the items, and what all share,
    come from the item learner."""
    first, rest = part(stream(600), 0, 300), part(stream(600), 300, 600)
    shard = learn_in(OneShard(), first, 50)
    again = OneShard(rows=shard.rows.copy(), number=shard.number)
    again.history = shard.history.copy()
    catalogue = shard.learner.catalogue
    slots = catalogue.living_slots()
    again.learner.catalogue.put_rows(catalogue.names(slots.tolist()), catalogue.rows(slots))
    again.learner.models.shared["mf"].put(shard.learner.models.shared["mf"].parameters)
    learn_in(shard, rest, 50)
    learn_in(again, rest, 50)
    assert again.rows.data == shard.rows.data
    assert again.history.data == shard.history.data
    assert items_of(again) == items_of(shard)


def test_what_a_batch_changed_is_sent() -> None:
    shard = OneShard()
    learned = shard.learn(batch_of([("ann", "a"), ("bob", "b"), ("ann", "b")]))
    assert [shard.learner.users.names[slot] for slot in learned.slots] == ["ann", "bob"]
    assert learned.new_users == 2
    assert shard.learn(batch_of([("ann", "c"), ("eve", "c")])).new_users == 1
    users = shard.learner.users
    assert users.events[shard.slots("ann", "bob", "eve")].tolist() == [3, 1, 1]


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 40), st.sampled_from([1.0, -1.0, 0.0])),
        min_size=1,
        max_size=120,
    ),
    st.integers(1, 40),
    st.integers(1, 4),
)
def test_nothing_consumed_is_ever_listed(
    events: list[tuple[int, int, float]], size: int, cache: int
) -> None:
    shard = OneShard(user_cache=cache, length=50, minimum_events=3)
    batch = batch_of([(f"user {u}", f"item {i}") for u, i, _ in events], [w for _, _, w in events])
    learn_in(shard, batch, size)
    eaten: dict[str, set[str]] = {}
    for user, item in zip(batch.users, batch.items, strict=True):
        eaten.setdefault(user, set()).add(item)
    for user, items in eaten.items():
        (value,) = shard.lists(user, now_ms=NOW + 5000).values()
        assert set(shown(value)) == set(batch.items) - items
        assert value["source"] == ("ranker" if batch.users.count(user) >= 3 else "popular")


def test_consumed_items_are_listed_if_configured() -> None:
    shard = OneShard(exclude_consumed=False)
    shard.learn(batch_of([("ann", "a"), ("ann", "b")]))
    assert sorted(shown(shard.lists("ann")["rec:ann"])) == ["a", "b"]


def test_an_event_that_consumes_nothing_leaves_the_item_in_the_list() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "a"), ("ann", "b")], flags=0))
    assert sorted(shown(shard.lists("ann")["rec:ann"])) == ["a", "b"]


def test_new_users_get_popular_items() -> None:
    shard = OneShard(minimum_events=3, length=3)
    crowd = [(f"user {k}", item) for k in range(9) for item in ("hit", "b", "c")[: 1 + k % 3]]
    shard.learn(batch_of(crowd))
    shard.learn(batch_of([("ann", "new"), ("ann", "hit")]))
    young = shard.lists("ann")["rec:ann"]
    assert (young["source"], shown(young)) == ("popular", ["b", "c"])
    assert [entry["why"] for entry in young["items"]] == [{"model": "popular"}] * 2
    popular = decode(shard.learner.shared.updates(NOW + 5000))["popular"]
    assert shown(popular) == ["hit", "b", "c"]
    assert popular["items"][0]["score"] == 1.0
    shard.learn(batch_of([("ann", "b")]))
    grown = shard.lists("ann")["rec:ann"]
    assert (grown["source"], shown(grown)) == ("ranker", ["c"])


def test_taste_is_learned_and_similar_items_are_those_of_the_same_taste() -> None:
    """Two tastes; each user knows most items of one; lists lead to the rest of it."""
    random = np.random.default_rng(3)
    pairs = []
    for _ in range(80):
        for u in range(30):
            pairs.append((f"user {u}", f"{'red' if u % 2 else 'blue'} {random.integers(0, 12)}"))
    # Each user's held-out items are those whose number is the user's.
    kept = [(u, i) for u, i in pairs if int(i.split()[1]) != int(u.split()[1]) % 12]
    shard = learn_in(OneShard(length=1, learning_rate=0.1), batch_of(kept), 300)
    right = 0
    for u in range(30):
        (best,) = shown(shard.lists(f"user {u}")[f"rec:user {u}"])
        right += best == f"{'red' if u % 2 else 'blue'} {u % 12}"
    assert right >= 27
    similar = decode(shard.learner.shared.updates(NOW, everything=True))
    same = [
        shown(value)[0].split()[0] == key.split(":")[1].split()[0]
        for key, value in similar.items()
        if key.startswith("similar:")
    ]
    assert len(same) == 24
    assert sum(same) >= 22


@pytest.mark.parametrize("weight", [1e30, -1e30, 3.4e38])
def test_extreme_batches_stay_finite_and_learn_on(weight: float) -> None:
    shard = OneShard(dimensions=4, learning_rate=1.0)
    shard.learn(batch_of([("ann", f"item {k % 3}") for k in range(10_000)], weight))
    shard.learn(batch_of([(f"user {k % 7}", "item 0") for k in range(10_000)], weight))
    shard.learn(batch_of([("ann", "item 0")] * 10_000, [weight, -weight] * 5000))
    learner = shard.learner
    users, catalogue = learner.users, learner.catalogue
    for array in (users.p, users.spread, catalogue.q, catalogue.y, catalogue.bias):
        assert np.isfinite(array).all()
    assert np.isfinite(learner.catalogue.popularity).all()
    values = decode([*learner.user_lists(shard.slots("user 1"), NOW), *learner.shared.updates(NOW)])
    assert sorted(shown(values["rec:user 1"])) == ["item 1", "item 2"]
    assert all(0 <= entry["score"] <= 1 for v in values.values() for entry in v["items"])


def test_a_full_catalogue_still_learns_what_it_knows() -> None:
    shard = OneShard(max_items=2)
    learned = shard.learn(batch_of([("ann", "a"), ("ann", "b"), ("ann", "c"), ("bob", "c")]))
    assert len(learned.slots) == 2
    assert shown(shard.lists("bob")["rec:bob"]) != []
    shard.learn(batch_of([("bob", "a")]))
    assert shown(shard.lists("bob")["rec:bob"]) == ["b"]
    assert shard.learner.users.events[shard.slots("bob")].tolist() == [2]


def test_expired_items_leave_every_list() -> None:
    shard = OneShard()
    shard.learn(batch_of([("ann", "old"), ("bob", "old")]), NOW - 10_000)
    shard.learn(batch_of([("bob", "new")]), NOW)
    shard.learner.expire_items(NOW - 5000)
    shard.learn(batch_of([("eve", "newer")]), NOW)
    values = shard.lists("ann", "eve", now_ms=NOW + 5000)
    values |= decode(shard.learner.shared.updates(NOW + 5000, everything=True))
    assert "similar:old" not in values
    assert all("old" not in shown(value) for value in values.values())


@pytest.mark.parametrize("served", ["ranker", "item-cf", "user-cf", "mf", "popular"])
def test_a_compaction_changes_no_list(served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories and what all models hold follow the items; nobody is loaded again."""
    shard, random = OneShard(served=served, length=8), np.random.default_rng(5)
    people = [f"u{k}" for k in range(12)]
    shard.learn(batch_of([("alone", f"old {k}") for k in range(30)]), NOW - 10_000)
    for now in (NOW - 10_000, NOW):
        pairs = random.integers(0, [12, 60], (200, 2)).tolist()
        first = 20 if now == NOW else 0
        shard.learn(batch_of([(f"u{u}", f"i{first + i}") for u, i in pairs], ts=now), now)
    learner, catalogue = shard.learner, shard.learner.catalogue
    learner.shared.updates(NOW, everything=True)

    def lists() -> dict[str, Any]:
        learner.shared.lost()
        commands = learner.user_lists(shard.slots(*people), NOW)
        return decode([*commands, *learner.shared.updates(NOW, everything=True)])

    learner.expire_items(NOW - 5000)
    assert catalogue.expired >= 20
    learner.users.forget("alone")  # whom nobody shares these items with
    before, size, reads = lists(), catalogue.size, shard.rows.reads
    monkeypatch.setattr(Catalogue, "wasteful", property(lambda self: self.expired > 0))
    learner.expire_items(NOW - 5000)
    assert (catalogue.expired, catalogue.size) == (0, size - 30)
    assert lists() == before
    assert shard.rows.reads == reads


def test_state_holds_nothing_but_the_users_of_the_shard() -> None:
    one, other = OneShard(), DictState()
    one.learn(batch_of([("ann", "a")]))
    learner = one.learner
    learner.learn(batch_of([("bob", "a")]), other, DictState(), 0, NOW)
    assert list(one.rows.data) == ["ann"]
    assert list(other.data) == ["bob"]


@pytest.mark.parametrize("served", ["mf", "popular", "ranker"])
def test_many_items_expire_whatever_was_counted_of_them(served: str) -> None:
    """More than there is first room for, the last of them only shown to somebody."""
    shard = OneShard(served=served)
    shard.learn(batch_of([("ann", f"old {k}") for k in range(1600)]), NOW - 10_000)
    shard.learn(batch_of([("bob", f"new {k}") for k in range(300)]), NOW)
    shard.learn(batch_of([("eve", f"shown {k}") for k in range(700)], 0.0, flags=0), NOW)
    shard.learner.users.forget("ann")
    shard.learner.expire_items(NOW - 5000)
    assert shard.learner.catalogue.living == 1000
    assert shard.learner.catalogue.size == 1000, "their space is given back"
    shard.learn(batch_of([("kim", "new 1"), ("kim", "shown 9")]), NOW)
    assert len(shown(shard.lists("kim", now_ms=NOW + 5000)["rec:kim"])) == 5


def test_a_batch_of_no_events_changes_nothing() -> None:
    batch = stream(60)
    shard, other = learn_in(OneShard(), batch, 60), learn_in(OneShard(), batch, 60)
    for _ in range(2):
        learned = shard.learn(part(batch, 0, 0))
        assert (len(learned.slots), learned.new_users) == (0, 0)
    assert shard.learner.models.clock_ms == other.learner.models.clock_ms == NOW + 59
    assert learn_in(shard, batch, 7).rows.data == learn_in(other, batch, 7).rows.data
    fresh = OneShard()
    fresh.learn(part(batch, 0, 0))
    assert fresh.learner.models.clock_ms == OneShard().learner.models.clock_ms
