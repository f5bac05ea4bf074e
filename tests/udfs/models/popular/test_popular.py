"""The order by popularity that is kept, against sorting anew."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, OneShard, batch_of, decode, shown
from tests.udfs.reference import by_popularity
from udfs.feed.metadata import Described
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import History
from udfs.memory.pages import Pages
from udfs.models.popular import popular, popular_kernels
from udfs.models.popular.first import First
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.popular import Order
from udfs.models.popular.popular_kernels import OVERALL, WITHIN

HALF_LIFE = 1000.0
FIXED = Mixture(fixed=True)
START = NOW - 30 * 86_400_000


def same(order: Order, catalogue: Catalogue, now: float, mixture: Mixture = FIXED) -> None:
    found = order.look(now)
    counts = order._first.now(now)
    wanted = by_popularity(catalogue, now, HALF_LIFE, mixture, counts)
    np.testing.assert_allclose(found.first, wanted.first, rtol=1e-5, atol=1e-12)
    if not mixture.fixed:
        assert not ((found.best ^ wanted.best) & 31).any(), "rounding may break the last one's ties"
    both = (found.known, wanted.known), (found.strangers, wanted.strangers)
    for own, twin in both:
        np.testing.assert_allclose(own.shares, twin.shares, rtol=1e-5)
        again = np.argsort(-own.shares, kind="stable").astype(np.int32)
        assert own.order.tolist() == again[catalogue.shown[again]].tolist()


@given(
    st.lists(
        st.tuples(st.integers(0, 400), st.sampled_from(["event", "die", "jump"])), max_size=60
    ),
    st.booleans(),
)
def test_looking_again_is_sorting_anew(steps: list[tuple[int, str]], far: bool) -> None:
    catalogue, now = Catalogue(2, seed=1, max_items=1000), 0.0
    order = Order(catalogue, HALF_LIFE, FIXED, First())
    for k, kind in steps:
        (slot,) = catalogue.slots([f"item {k}"]).tolist()
        if kind == "die":
            catalogue.shown[slot] = False
        else:
            now += 100 * (kind == "jump")
            catalogue.popularity[slot] = k % 7
            catalogue.popularity_at[slot] = now - 3 * (k % 5)
        same(order, catalogue, now)
        same(order, catalogue, now)


def test_where_all_has_moved_it_is_sorted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = Catalogue(2, seed=1, max_items=1000)
    slots = catalogue.slots([f"item {k}" for k in range(300)])
    order = Order(catalogue, HALF_LIFE, FIXED, First())
    random = np.random.default_rng(1)
    for _ in range(3):
        catalogue.popularity[slots] = random.random(300)
        same(order, catalogue, 0.0)
    monkeypatch.setattr(popular, "_FAR", 1000)
    catalogue.popularity[slots] = random.random(300)
    same(order, catalogue, 0.0)


def test_nothing_is_moved_beyond_what_is_allowed() -> None:
    shares, alive = np.arange(4, dtype=np.float32), np.ones(4, np.bool_)
    order, listed = np.arange(4, dtype=np.int32), np.zeros(4, np.bool_)
    assert popular_kernels.resort(shares, alive, order.copy(), 4, listed, 5) == -1
    assert popular_kernels.resort(shares, alive, order, 4, listed, 6) == 4
    assert order.tolist() == [3, 2, 1, 0]


def test_an_order_of_fewer_slots_follows_a_compaction() -> None:
    catalogue = Catalogue(2, seed=1, max_items=1000)
    slots = catalogue.slots([f"item {k}" for k in range(300)])
    catalogue.popularity[slots] = np.arange(300)
    order = Order(catalogue, HALF_LIFE, FIXED, First())
    same(order, catalogue, 0.0)
    other = Catalogue(2, seed=1, max_items=1000)
    other.popularity[other.slots(["a", "b", "c"])] = (1, 3, 2)
    order._catalogue = other
    same(order, other, 0.0)
    assert order.look(0.0).known.order.tolist() == [1, 2, 0]


sums = st.lists(st.integers(0, 9), min_size=4, max_size=4)


@given(
    st.lists(st.tuples(sums, st.integers(0, 9), st.integers(0, 10**7), st.booleans()), max_size=30),
    st.lists(st.integers(0, 30), min_size=6, max_size=6),
    st.lists(st.integers(0, 29), max_size=30),
)
def test_a_mixture_of_half_lives_and_of_what_strangers_take(
    items: list[tuple[list[int], int, int, bool]], hits: list[int], begun: list[int]
) -> None:
    catalogue, mixture, first = Catalogue(2, seed=1, max_items=1000), Mixture(), First()
    mixture.put(np.array(hits, np.float64))
    for k, (levels, day, at, alive) in enumerate(items):
        (slot,) = catalogue.slots([f"item {k}"]).tolist()
        catalogue.sums[slot], catalogue.popularity[slot] = levels, day
        catalogue.popularity_at[slot], catalogue.alive[slot] = at, alive
    taken = catalogue.keys[[k % max(len(items), 1) for k in begun if items]]
    first.count(taken, 10**7)
    order = Order(catalogue, HALF_LIFE, mixture, first)
    same(order, catalogue, 2e7, mixture)
    same(order, catalogue, 3e9, mixture)


def test_what_strangers_take_first_decides() -> None:
    """A hit of an hour ago against one that was taken for weeks."""
    day = 86_400_000
    crowd = [(f"old {n}", f"classic {n % 40}") for n in range(800)]
    shard = OneShard()
    shard.learn(batch_of(crowd, ts=[START + n * day // 40 for n in range(800)]))
    hits = [(f"new {n}", f"hit {n % 10}") for n in range(60)]
    shard.learn(batch_of(hits, ts=START + 21 * day))
    models = shard.learner.models

    def first() -> str:
        models.forget_popular()
        lists = decode(shard.learner.shared.updates(NOW, everything=True))
        return shown(lists["popular"])[0].split()[0]

    catalogue = shard.learner.catalogue
    for taken in ("hit", "classic", "hit"):
        slots = catalogue.find([f"{taken} {n % 10}" for n in range(400)])
        models.forget_popular()
        models.popular.met(slots, NOW)
        assert first() == taken


def test_known_users_teach_nothing_about_strangers() -> None:
    shard = OneShard()

    def taught(*pairs: tuple[str, str], weights: float = 1.0) -> list[float]:
        shard.learner.models.forget_popular()
        shard.learn(batch_of(pairs, weights))
        return list(shard.learner.models.popular.parameters)

    assert taught(("ann", "a"), ("ann", "b"), ("bob", "b")) == [0] * 6, "nothing was popular yet"
    assert taught(("ann", "a"), ("bob", "a"), ("eve", "new")) == [0] * 6
    assert taught(("fay", "b"), weights=-1.0) == [0] * 6
    assert taught(("dan", "a"), ("dan", "b"), ("guy", "b")) == [2] * 6


def test_a_fixed_half_life_learns_nothing() -> None:
    shard = OneShard(popularity_half_life_s=3600.0)
    shard.learn(batch_of([("ann", "a")]))
    shard.learn(batch_of([("bob", "a")]))
    assert not shard.learner.models.popular.parameters.any()


@given(
    st.lists(st.lists(st.integers(0, 9), max_size=80), min_size=1, max_size=3),
    st.lists(st.sampled_from([0, OVERALL, WITHIN]), min_size=10, max_size=10),
    st.integers(0, 10),
    st.integers(1, 12),
)
def test_what_was_consumed_of_the_popular_is_noted_first(
    histories: list[list[int]], levels: list[int], room: int, most: int
) -> None:
    pages, n = Pages(), len(histories)
    pages.make_free(12)
    tail, fill = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    for user, items in enumerate(histories):
        for begin in range(0, len(items), 32):
            part = np.array(items[begin : begin + 32], np.int32)
            tail[user], fill[user] = pages.push(int(tail[user]), part, 0), len(part)
    none = np.zeros(0, np.int64)
    history = History(tail, fill, pages.older, pages.pages, pages.disliked, none, none)
    found = np.empty((n, most), np.int32)
    near = np.array(levels[:room], np.uint8)
    popular_kernels.near_top(near, np.arange(n, dtype=np.int32), history, found)
    for items, row in zip(histories, found.tolist(), strict=True):
        newest = items[::-1]
        overall = [j for j in newest if j >= room or levels[j] == OVERALL]
        within = [j for j in newest if j < room and levels[j] == WITHIN]
        wanted = [*overall, *within][:most]
        assert row == wanted + [-1] * (most - len(wanted))


def test_a_list_names_what_its_user_consumed_of_a_category() -> None:
    shard = OneShard(length=2)
    learner = shard.learner
    for _ in range(4):
        shard.learn(batch_of([(f"u{n}", f"i{n}") for n in range(20)]))
    shard.learn(batch_of([("ann", "rare"), ("ann", "i0")]))
    learner.models.forget_popular()  # the order of before does not know of what is rare
    assert shard.lists("ann")["rec:ann"]["consumed"] == ["i0"]
    learner.describe([Described("rare", NOW, categories=["tea"])], NOW)
    learner.shared.updates(NOW, everything=True)
    assert shard.lists("ann", now_ms=NOW + 1)["rec:ann"]["consumed"] == ["i0", "rare"]


def test_what_was_consumed_again_is_named_once() -> None:
    shard = OneShard(length=2, exclude_consumed=False)
    for _ in range(4):
        shard.learn(batch_of([(f"u{n}", f"i{n % 3}") for n in range(20)]))
    shard.learn(batch_of([("ann", item) for item in ("i0", "i1", "i0", "i2", "i0", "i1")]))
    assert shard.lists("ann")["rec:ann"]["consumed"] == ["i1", "i0", "i2"]
