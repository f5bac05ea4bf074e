"""The kernels against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.builders import OneShard, batch_of
from udfs.models.sequence import near_kernels

ITEMS = 60
events = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, ITEMS - 1), st.sampled_from([1.0, 1.0, -1.0])),
    min_size=1,
    max_size=150,
)


@settings(max_examples=30, deadline=None)
@given(events, st.integers(1, 40), st.integers(0, 2**32))
def test_the_last_items_that_the_model_knows(
    taken: list[tuple[str, int, float]], length: int, seed: int
) -> None:
    shard = OneShard()
    pairs = [(user, f"i{item}") for user, item, _ in taken]
    shard.learn(batch_of(pairs, [weight for *_, weight in taken]))
    row = np.random.default_rng(seed).integers(0, 2, 256).astype(np.int32) * np.arange(1, 257)
    users = np.append(shard.slots("a", "b", "c"), -1).astype(np.int32)
    out = np.empty((4, length), np.int64)
    view = shard.learner.users.view
    near_kernels.last_rows(users, view, row.astype(np.int32), out)
    slot_of = shard.learner.catalogue.find
    for r, user in enumerate("abc"):
        liked: dict[str, float] = {}
        for name, item, weight in taken:
            if name == user:
                liked[f"i{item}"] = weight  # keeps its place
        rows = [row[slot_of([item])[0]] for item, weight in liked.items() if weight > 0]
        known = [each for each in rows if each][-length:]
        assert out[r].tolist() == [0] * (length - len(known)) + known
    assert not out[3].any()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.booleans(), st.integers(1, 9))
def test_the_largest_products(seed: int, exclude: bool, n: int) -> None:
    random = np.random.default_rng(seed)
    shard = OneShard()
    shard.learn(batch_of([("a", f"i{item}") for item in range(ITEMS)]))
    shard.learn(batch_of([("b", "i3"), ("b", "i7")]))
    products = random.integers(0, 6, (3, 41)).astype(np.float32)
    slot = random.permutation(ITEMS)[:41].astype(np.int32)
    slot[random.integers(0, 41, 5)] = -1
    shown = random.random(ITEMS) < 0.9
    users = np.append(shard.slots("a", "b"), -1).astype(np.int32)
    items, scores = np.empty((3, n), np.int32), np.empty((3, n), np.float32)
    view = shard.learner.users.view
    near_kernels.nearest(products, slot, users, shown, exclude, view, items, scores)
    some = set(shard.learner.catalogue.find(["i3", "i7"]).tolist())
    for r, eaten in enumerate((set(range(ITEMS)), some, set[int]())):
        possible = [
            (-products[r, v], j)
            for v, j in enumerate(slot.tolist())
            if v and j >= 0 and shown[j] and not (exclude and j in eaten)
        ]
        best = sorted(possible)[:n]
        assert items[r].tolist() == [j for _, j in best] + [-1] * (n - len(best))
        assert scores[r, : len(best)].tolist() == [-z for z, _ in best]
