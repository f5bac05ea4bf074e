"""What a type of event does to the lists: dislikes and impressions, in every model."""

from __future__ import annotations

import numpy as np
import pytest

from flink_app.config import Config
from flink_app.graph.event_settings import decode_settings
from tests.udfs.builders import NOW, OneShard, batch_of, part, shown
from udfs.events.batch import EventBatch, make_batch
from udfs.events.decode import Decoder

ITEMS = 24
LIKES = [*(("ann", item) for item in ("1", "4", "0", "2")), ("bob", "0"), ("bob", "2")]
"""Ann takes an odd item and then even ones, Bob even ones."""


def two_tastes(seed: int = 0) -> EventBatch:
    """Thirty users, half of whom take ten even items and the others odd ones; then `LIKES`."""
    random = np.random.default_rng(seed)
    taken = [
        (f"user {user}", str(2 * item + user % 2))
        for user in range(30)
        for item in random.permutation(ITEMS // 2)[:10].tolist()
    ]
    order = random.permutation(len(taken))
    return batch_of([*(taken[k] for k in order), *LIKES])


def taught(model: str, extra: EventBatch | None = None) -> OneShard:
    # the linear weights of the ranker that these few events teach would be of chance alone
    shard = OneShard(served=model, length=ITEMS, similar_every_s=1e9)
    events = two_tastes()
    for begin in range(0, len(events), 16):
        shard.learn(part(events, begin, begin + 16))
    if extra:
        shard.learn(extra)
    shard.learner.models.forget_popular()  # it was looked at for the first of these users
    return shard


def places(shard: OneShard, user: str) -> dict[str, int]:
    ((_, value),) = shard.lists(user).items()
    return {item: place for place, item in enumerate(shown(value))}


def even(places: dict[str, int], items: set[str]) -> float:
    """The mean place of even items among `items`."""
    kept = sorted(items, key=places.__getitem__)
    return float(np.mean([place for place, item in enumerate(kept) if int(item) % 2 == 0]))


def batch_with(weight: float, items: tuple[str, ...]) -> EventBatch:
    return batch_of([("ann", item) for item in items], weight)


NEW, OLD = ("22", "14", "16"), ("0", "2")
"""Items that Ann has not met, and some that she had liked."""


@pytest.mark.parametrize("model", ["item-cf", "mf", "ranker"])
@pytest.mark.parametrize("disliked", [NEW, OLD])
def test_dislikes_lower_what_is_like_the_items_for_this_user(
    model: str, disliked: tuple[str, ...]
) -> None:
    before = places(taught(model), "ann")
    after = places(taught(model, batch_with(-1.0, disliked)), "ann")
    assert not after.keys() & {*disliked}
    both = before.keys() & after.keys()
    assert len(both) >= ITEMS - 8
    assert even(after, both) >= even(before, both) + 1.0


@pytest.mark.parametrize("model", ["item-cf", "mf", "ranker"])
def test_a_dislike_changes_little_for_others(model: str) -> None:
    before = places(taught(model), "bob")
    after = places(taught(model, batch_with(-1.0, NEW)), "bob")
    assert before.keys() == after.keys()
    assert np.mean([abs(before[item] - after[item]) for item in before]) < 1.5


@pytest.mark.parametrize("model", ["item-cf", "mf", "ranker"])
def test_liking_an_item_again_removes_the_dislike(model: str) -> None:
    shard = taught(model, batch_with(-1.0, NEW))
    before = places(shard, "ann")
    shard.learn(batch_with(1.0, NEW))
    after = places(shard, "ann")
    assert even(after, {*after}) <= even(before, {*before}) - 1.0


def as_batch(*events: tuple[str, str, str]) -> EventBatch:
    """Events of (user, item, type) as the job decodes them with the configuration's defaults."""
    lines = [f'{{"user":"{user}","item":"{item}","type":"{kind}"}}' for user, item, kind in events]
    d = Decoder(decode_settings(Config())).decode(lines, NOW)
    assert not d.rejected
    return make_batch(d.users, d.items, d.weights, d.flags, d.ts, d.ids, NOW)


@pytest.mark.parametrize("model", ["item-cf", "user-cf", "mf", "ranker", "popular"])
def test_an_impression_consumes_nothing_and_changes_no_taste(model: str) -> None:
    shard = taught(model)
    before = shown(shard.lists("ann")["rec:ann"])
    shard.learn(as_batch(*(("ann", item, "impression") for item in before[:5])))
    after = shown(shard.lists("ann")["rec:ann"])
    # The ranker also looks at how many events an item has.
    moved = [abs(after.index(item) - place) for place, item in enumerate(before)]
    assert np.mean(moved) <= (1.0 if model == "ranker" else 0.0)
    for kind in ("view", "dislike"):
        shard.learn(as_batch(("ann", before[0], kind)))
        before = [item for item in before if item != before[0]]
        assert set(shown(shard.lists("ann")["rec:ann"])) <= set(before)


def test_a_user_with_only_impressions_gets_popular_items() -> None:
    shard = taught("ranker")
    learned = shard.learn(as_batch(("eve", "1", "impression"), ("eve", "2", "impression")))
    assert learned.new_users == 1
    assert shard.lists("eve")["rec:eve"]["source"] == "popular"
    assert shard.learn(as_batch(("eve", "1", "impression"))).new_users == 0
    shard.learn(as_batch(("eve", "1", "click")))
    assert shard.lists("eve")["rec:eve"]["source"] != "popular"


def test_types_weigh_what_the_configuration_says() -> None:
    kinds = ["impression", "view", "click", "cart", "purchase", "like", "dislike"]
    weights = as_batch(*(("ann", "1", kind) for kind in kinds)).weights
    assert weights.tolist() == pytest.approx([0, 1, 1.2, 1.6, 2, 2, -1])
