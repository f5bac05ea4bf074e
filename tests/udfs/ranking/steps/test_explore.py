from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.udfs.builders import NOW, OneShard, batch_of
from udfs.learning.learner import Learner
from udfs.lists.contract import RecommendationList, read
from udfs.memory.metadata import NEVER
from udfs.models.content.features import content_vector
from udfs.models.content.near_kernels import LENGTH
from udfs.models.ranked import Told
from udfs.options.explore import Explore
from udfs.options.rules import Rule
from udfs.ranking.steps.explore import AMONG
from udfs.ranking.steps.explore_kernels import FIRST, LIKELY, STEEP, SURE
from udfs.ranking.steps.tried import SILENT_MS

TAKEN = [f"i{number}" for number in range(30)]
NEW = [f"new{number}" for number in range(8)]
USERS = np.arange(9, dtype=np.int32)
NOTHING, SOME = Explore(share=0.0), Explore()


def taught(described: bool = True, **settings: Any) -> Learner:
    """A learner after some events, and with new items that nobody has taken."""
    shard = OneShard(length=20, **{"explore": SOME, **settings})
    learner = shard.learner
    shard.learn(batch_of([(f"u{n % 9}", TAKEN[(n * n + n // 7) % 30]) for n in range(60)]))
    if described:
        names = TAKEN + NEW
        slots = learner.catalogue.slots(names)
        words = ["tea", "drill", "rope"]
        vectors = [content_vector({"title": words[n % 3]}) for n in range(len(names))]
        learner.catalogue.metadata.put(
            slots, allowed=True, published=0, expires=NEVER, bits=1, groups=[[-1, -1, -1, 0]]
        )
        learner.models.describe(slots, np.stack(vectors))
        learner.catalogue.events[learner.catalogue.find(TAKEN)] += 20
    return learner


def lists(learner: Learner) -> list[RecommendationList]:
    (made,) = learner.user_lists(USERS, NOW + 1)
    return [read(text) for text in made.json]


def names(made: RecommendationList) -> list[str]:
    return [entry.item for entry in made.items]


@pytest.mark.parametrize(("described", "explore"), [(False, SOME), (True, NOTHING)])
def test_nothing_is_explored_without_described_items_or_a_share(
    described: bool, explore: Explore
) -> None:
    made = lists(taught(described, explore=explore))
    assert not any(some.explored for some in made)
    if not described:
        assert made == lists(taught(False, explore=NOTHING))


def test_one_place_of_twenty_has_a_new_item_with_its_chance() -> None:
    plain, made = lists(taught(explore=NOTHING)), lists(taught())
    for before, some in zip(plain, made, strict=True):
        assert len(some.explored) == 1
        item, chance = some.explored[0].item, some.explored[0].chance
        assert item in NEW and item not in names(before) and 0.0 < chance <= 1.0
        place = names(some).index(item)
        assert place > 0
        rest = [name for name in names(some) if name != item]
        assert rest == names(before)[: len(rest)] and len(rest) >= 19
        why = some.items[place].why
        assert why["model"] == "content"
        assert why["because"] and set(why["because"]) <= set(TAKEN)
        scores = [entry.score for entry in some.items]
        assert scores == sorted(scores, reverse=True)


def rates(learner: Learner, users: NDArray[np.int32]) -> list[dict[int, float]]:
    """The plain twin: r_j of the candidates of each user."""
    content, c = learner.models.content, learner.catalogue
    tried, taken = learner.models.steps.explore.tried.count, c.sums[:, -1]
    found, likes = content.latest(users, AMONG)
    cosines = likes.astype(float) @ content.described.vectors.T / (127 * LENGTH)
    rows = []
    for items, near in zip(found.tolist(), cosines, strict=True):
        fits = {j: math.exp(STEEP * (near[j] - 1)) for j in items if j >= 0 and c.events[j] < 20}
        often = {
            j: (SURE + min(taken[j], m)) / (SURE + LIKELY * m) for j in fits for m in [tried[j]]
        }
        rows.append({j: fit * (often[j] if tried[j] else FIRST) for j, fit in fits.items()})
    return rows


def none_of(told: Told, learner: Learner) -> Told:
    """The lists, copied, with an old item in the place of each new one."""
    room = Told(*(array.copy() for array in told[:5]))
    room.items[np.isin(room.items, learner.catalogue.find(NEW))] = 0
    return room


def test_an_item_is_chosen_as_often_as_its_chance_says() -> None:
    learner = taught()
    step = learner.models.steps.explore
    ((_, _, told),) = learner.models.tell(USERS, NOW)
    counted, expected = np.zeros(50), np.zeros(50)
    for number in range(400):
        before_all = np.arange(len(step.tried.count)) % 2 * (1 + number % 3)
        step.tried.count[:] = before_all
        room = none_of(told, learner)
        chosen = step.choose(room, USERS)
        assert chosen is not None and (chosen.items >= 0).all()
        step.tried.count[:] = before_all
        for row, items in enumerate(chosen.items[:, 0].tolist()):
            (own,) = rates(learner, USERS[row : row + 1])
            step.tried.count[items] += 1
            in_list = set(none_of(told, learner).items[row].tolist())
            left = {j: r for j, r in own.items() if j not in in_list}
            chance = left[items] / sum(left.values())
            assert abs(chosen.chances[row, 0] - chance) < 1e-5
            for j, r in left.items():
                expected[j] += r / sum(left.values())
            place = room.items[row].tolist().index(items)
            assert place > 0
            before = none_of(told, learner).items[row].tolist()
            assert room.items[row].tolist() == [*before[:place], items, *before[place:-1]]
        np.add.at(counted, chosen.items[:, 0], 1)
    likely = expected > 50
    assert likely.sum() >= 3
    np.testing.assert_allclose(counted[likely], expected[likely], rtol=0.25)


def test_items_with_enough_events_are_not_explored() -> None:
    learner = taught(explore=Explore(share=0.05, events=3))
    events = learner.catalogue.events
    events[learner.catalogue.find(NEW[:-1])] = 3
    for some in lists(learner):
        assert {one.item for one in some.explored} <= {NEW[-1]}


def test_what_was_offered_in_vain_is_offered_less() -> None:
    learner = taught()
    step, item = learner.models.steps.explore, int(learner.catalogue.find(NEW)[0])
    ((_, _, told),) = learner.models.tell(USERS, NOW)
    offered = []
    for often in (0, 5_000):
        count = 0
        for _ in range(200):
            step.tried.count[:] = 0
            step.tried.count[item] = often
            chosen = step.choose(none_of(told, learner), USERS)
            assert chosen is not None
            count += int((chosen.items == item).sum())
        offered.append(count)
    assert offered[0] > 4 * offered[1]


def test_what_was_shown_and_not_taken_counts_as_offered_in_vain() -> None:
    learner = taught()
    step, item = learner.models.steps.explore, int(learner.catalogue.find(NEW)[0])
    plain = []
    for events, taken in ((0, 0.0), (9, 0.0), (9, 2.0)):  # impressions are events too
        step.tried.count[item] = 12
        learner.catalogue.events[item], learner.catalogue.sums[item, -1] = events, taken
        plain.append(max(row.get(item, 0.0) for row in rates(learner, USERS)))
    assert 0.0 < plain[0] == plain[1] < plain[2]


def test_the_twin_of_what_was_touched_last_is_offered_first() -> None:
    """Also where the user has touched it before, and many others since: it is no newer part of
    the history then."""
    shard = OneShard(length=20, explore=SOME)
    shard.learn(batch_of([("u0", name) for name in TAKEN[:15]]))
    words = [f"kind{n} word{n % 7}" for n in range(len(TAKEN))]
    models, catalogue = shard.learner.models, shard.learner.catalogue
    slots = catalogue.slots([*TAKEN, "twin"])
    vectors = [content_vector({"title": word}) for word in [*words, words[0]]]
    catalogue.shown[slots] = True
    models.describe(slots, np.stack(vectors))
    twin, user = slots[-1:].tolist(), np.zeros(1, np.int32)
    assert models.content.latest(user, 1)[0].tolist() != [twin]
    shard.learn(batch_of([("u0", TAKEN[0])]))
    assert models.content.latest(user, 1)[0].tolist() == [twin]


def test_rules_hold_for_what_is_explored() -> None:
    learner = taught(rules=[Rule(most=4, of="brand")])
    made = lists(learner)
    assert all(len(names(some)) == 4 for some in made)  # all are of one brand
    assert all({one.item for one in some.explored} <= {*names(some)} for some in made)


def test_a_share_may_be_several_places_or_a_part_of_one() -> None:
    many = lists(taught(explore=Explore(share=0.15)))
    assert max(len(some.explored) for some in many) == 3
    assert all(some.explored[0].item != names(some)[0] for some in many)
    few = [some for _ in range(5) for some in lists(taught(explore=Explore(share=0.025)))]
    assert 0 < sum(len(some.explored) for some in few) < len(few)


def test_lists_are_read_as_they_were_written() -> None:
    some = lists(taught())[0]
    assert msgspec.json.decode(msgspec.json.encode(some), type=RecommendationList) == some


def test_lists_count_as_offers_until_the_shop_tells_what_was_seen() -> None:
    learner = taught()
    step = learner.models.steps.explore
    lists(learner)
    assert step.tried.count.sum() == len(USERS)
    step.see([NEW[0], NEW[0], "unknown"], NOW)
    assert step.tried.count.sum() == len(USERS) + 2
    made = lists(learner)
    assert all(some.explored for some in made)
    assert step.tried.count.sum() == len(USERS) + 2
    learner.models.clock_ms = NOW + SILENT_MS
    lists(learner)
    assert step.tried.count.sum() == 2 * len(USERS) + 2


def test_items_that_nobody_has_taken_come_from_content_or_popularity() -> None:
    learner = taught(explore=NOTHING)
    learner.catalogue.events[learner.catalogue.find(TAKEN[:4])] = 0
    learner.models.ranker.w[:2] = -1.0  # as if what has no evidence were better
    models = {
        entry.why["model"] for some in lists(learner) for entry in some.items if entry.item in NEW
    }
    assert models and models <= {"content", "popular"}
