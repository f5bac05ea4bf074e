"""A user's past told again: the history of a replay, a factor that learns, items as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import SETTINGS, OneShard, batch_of, changed, keys
from udfs.learning.past import Events, Past, compile_past

OTHERS = [(f"u{n % 5}", f"i{n * 7 % 80}") for n in range(160)]


def events(items: list[str], weights: list[float], fresh: list[bool]) -> Events:
    n = len(items)
    return Events(
        keys(items),
        np.array(weights, np.float32),
        np.array(weights, np.float32) + 3,
        np.ones(n, np.uint8),
        np.array(fresh, np.bool_),
    )


def standing(one: OneShard, user: str) -> list[tuple[int, bool]]:
    """What is in the state, read by a learner that knows nothing yet."""
    other = OneShard(one.rows, history=1000)
    other.history = one.history
    slot = int(other.slots(user)[0])
    items, liked = other.learner.users.standing(slot)
    return list(zip(other.learner.catalogue.keys[items].tolist(), liked.tolist(), strict=True))


def arrays(one: OneShard) -> list[Any]:
    c = one.learner.catalogue
    columns = "q", "y", "bias", "spread", "events", "along"
    weights, squares, *_ = one.learner.models.rule.places
    return [*(getattr(c, name).copy() for name in columns), weights.copy(), squares.copy()]


def store(one: OneShard, slot: int) -> None:
    users = one.learner.users
    users.pack(np.array([slot], np.int32), one.learner.catalogue)
    users.write(np.array([slot], np.int32), one.rows)


steps = st.tuples(st.integers(0, 79), st.sampled_from([1.0, -1.0, 0.0]), st.booleans())


@pytest.mark.parametrize("loss", ["softmax", "squared"])
@given(told=st.lists(steps, min_size=1, max_size=120), had=st.integers(0, 70))
def test_the_history_is_that_of_a_replay_and_items_stay_as_they_are(
    loss: str, told: list[tuple[int, float, bool]], had: int
) -> None:
    one = OneShard(loss=loss)
    one.learn(batch_of(OTHERS))
    if had:
        one.learn(batch_of([("ann", f"i{n}") for n in range(had)]))
    slot = int(one.slots("ann")[0])
    before, own = arrays(one), one.learner.users.p[slot].copy()
    items = [f"i{n}" for n, _, _ in told]
    fresh = [new for _, _, new in told]
    gone = keys([f"i{n}" for n in range(0, had, 2)])
    past = Past(one.learner)
    weights = [weight for _, weight, _ in told]
    past.tell(slot, events(items, weights, fresh), gone, one.history, 3, np.zeros(2))
    store(one, slot)
    liked: dict[str, bool] = {f"i{n}": True for n in range(1, had, 2) if f"i{n}" not in items}
    for item, weight in zip(items, weights, strict=True):
        if item not in liked or weight:
            liked[item] = weight > 0
    assert standing(one, "ann") == [
        (key, well) for key, well in zip(keys(liked).tolist(), liked.values(), strict=True)
    ]
    for now, then in zip(arrays(one), before, strict=True):
        assert np.array_equal(now, then)
    assert np.isfinite(one.learner.users.p[slot]).all()
    if not any(fresh):
        assert np.array_equal(one.learner.users.p[slot], own)


def test_a_factor_learns_from_what_is_fresh_and_the_same_again_gives_the_same() -> None:
    found = []
    for _ in range(2):
        one = OneShard()
        one.learn(batch_of(OTHERS))
        one.learn(batch_of([("ann", "i1")]))
        slot = int(one.slots("ann")[0])
        own = one.learner.users.p[slot].copy()
        told = events(["i1", "i2", "i3"], [1.0, 1.0, 1.0], [False, True, True])
        Past(one.learner).tell(slot, told, keys([]), one.history, 3, np.zeros(2))
        assert not np.array_equal(one.learner.users.p[slot], own)
        found.append(one.learner.users.p[slot].copy())
    assert np.array_equal(*found)


def test_items_that_are_not_known_are_in_the_history_and_teach_nothing() -> None:
    one = OneShard()
    one.learn(batch_of([("ann", "i1")]))
    slot = int(one.slots("ann")[0])
    own = one.learner.users.p[slot].copy()
    told = events(["new", "i1"], [1.0, 1.0], [True, False])
    Past(one.learner).tell(slot, told, keys([]), one.history, 3, np.zeros(2))
    store(one, slot)
    assert [key for key, _ in standing(one, "ann")] == keys(["new", "i1"]).tolist()
    assert np.array_equal(one.learner.users.p[slot], own)


@pytest.mark.parametrize("loss", ["softmax", "squared"])
def test_what_links_call_is_compiled_beforehand(loss: str) -> None:
    compile_past(changed(SETTINGS, loss=loss))
