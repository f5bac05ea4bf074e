"""Session baselines against the published rules written plainly, and lists that others made."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.evaluate.baselines import Baseline, Shape
from flink_app.evaluate.baselines.neighbours import MOST_ITEMS
from flink_app.evaluate.baselines.sessions import Rules, Stan, Vsknn
from tests.flink_app.evaluate.shipped import compared
from udfs.errors import ConfigError

USERS, ITEMS, RECENT, HOUR = 6, 8, 5, 3600.0
Events = list[tuple[int, int]]
STREAMS = st.lists(
    st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1)), min_size=1, max_size=40
)


def learned(model: Baseline, events: Events) -> Baseline:
    for n, (user, item) in enumerate(events):
        model.now = n * HOUR
        model.learn(user, item, 1.0)
    model.now = len(events) * HOUR
    return model


def sessions_of(events: Events) -> dict[int, list[tuple[float, int]]]:
    found: dict[int, list[tuple[float, int]]] = {}
    for n, (user, item) in enumerate(events):
        found.setdefault(user, []).append((n * HOUR, item))
    return found


def steps_back(items: Sequence[int]) -> dict[int, int]:
    """How many events back each item stands, 1 for the last."""
    found: dict[int, int] = {}
    for step, item in enumerate(reversed(items), start=1):
        found.setdefault(item, step)
    return found


def newest(events: Events, user: int, back: dict[int, int], most: int) -> list[list[int]]:
    """The items of other sessions that share one, those with the newest last event first."""
    sessions = sessions_of(events)
    others = [
        sessions[other]
        for other in sessions
        if other != user and {item for _, item in sessions[other]} & set(back)
    ]
    return [[item for _, item in each] for each in sorted(others, key=lambda e: -e[-1][0])][:most]


@given(STREAMS, st.integers(1, 5), st.integers(1, 5))
def test_vsknn_as_published(events: Events, sessions: int, neighbours: int) -> None:
    model = Vsknn(Shape(USERS, ITEMS, 40), sessions=sessions, neighbours=neighbours, recent=RECENT)
    learned(model, events)
    for user, session in sessions_of(events).items():
        items = [item for _, item in session][-RECENT:]
        back = steps_back(items)
        place = {item: (len(items) - step + 1) / len(items) for item, step in back.items()}
        near = []
        for other in newest(events, user, back, sessions):
            shared = set(other) & set(back)
            near.append((sum(place[item] for item in shared) / len(back), other, shared))
        expected = np.zeros(ITEMS)
        for similar, other, shared in sorted(near, key=lambda each: -round(each[0], 12))[
            :neighbours
        ]:
            for item in set(other):
                expected[item] += similar / min(back[each] for each in shared)
        assert np.allclose(model.scores(user), expected, atol=1e-6)


@given(STREAMS)
def test_stan_as_published(events: Events) -> None:
    model = Stan(Shape(USERS, ITEMS, 40), recent=RECENT, places=1.5, days=0.7, inside=2.0)
    learned(model, events)
    for user, session in sessions_of(events).items():
        items = [item for _, item in session][-RECENT:]
        back = steps_back(items)
        expected = np.zeros(ITEMS)
        for other, events_of in sessions_of(events).items():
            theirs = [item for _, item in events_of]
            shared = set(theirs) & set(back)
            if other == user or not shared:
                continue
            days = (len(events) * HOUR - events_of[-1][0]) / 86_400
            similar = sum(math.exp(-(back[item] - 1) / 1.5) for item in shared)
            similar *= math.exp(-days / 0.7) / math.sqrt(len(items) * len(theirs))
            places = steps_back(theirs)
            anchor = places[min(shared, key=lambda item: back[item])]
            for item in set(theirs):
                expected[item] += similar * math.exp(-abs(places[item] - anchor) / 2.0)
        assert np.allclose(model.scores(user), expected, atol=1e-6)


@given(STREAMS, st.integers(1, 4))
def test_rules_as_published(events: Events, steps: int) -> None:
    model = learned(Rules(Shape(USERS, ITEMS, 40), steps=steps), events)
    sessions = {user: [item for _, item in each] for user, each in sessions_of(events).items()}
    for user in sessions:
        last, expected = sessions[user][-1], np.zeros(ITEMS)
        for items in sessions.values():
            for at, item in enumerate(items):
                for distance in range(1, min(steps, at) + 1):
                    if items[at - distance] == last:
                        expected[item] += 1 / distance
        assert np.allclose(model.scores(user), expected, atol=1e-6)


def test_popularity_decides_between_equal_scores_and_for_strangers() -> None:
    for kind in (Rules, Vsknn, Stan):
        model = learned(kind(Shape(4, 4, 9)), [(0, 0), (1, 1), (2, 2), (3, 2)])
        assert model.scores(0)[2] > model.scores(0)[1] > model.scores(0)[3]
    model = learned(Vsknn(Shape(4, 4, 9)), [(0, 0), (1, 1), (2, 1)])
    assert np.argmax(model.scores(3)) == 1


@given(STREAMS, STREAMS)
def test_what_is_only_followed_changes_its_own_session_alone(past: Events, day: Events) -> None:
    """Today's sessions have their lists from yesterday's, and yesterday's lists stay."""
    for kind in (Rules, Vsknn, Stan):
        frozen = learned(kind(Shape(2 * USERS, ITEMS, 80)), past)
        before = [frozen.scores(user) for user in range(USERS)]
        for user, item in day:
            frozen.follow(USERS + user, item)
        assert all(np.array_equal(frozen.scores(k), before[k]) for k in range(USERS))
        for user in {user for user, _ in day}:
            alone = learned(kind(Shape(2 * USERS, ITEMS, 80)), past)
            for other, item in day:
                if other == user:
                    alone.follow(USERS + user, item)
            assert np.array_equal(frozen.scores(USERS + user), alone.scores(USERS + user))


def test_a_followed_session_is_one_that_is_learned_last() -> None:
    past = [(0, 0), (0, 1), (1, 1), (1, 2), (2, 0), (2, 3)]
    for kind in (Rules, Vsknn):
        one, other = (learned(kind(Shape(4, 4, 9)), past) for _ in range(2))
        one.learn(3, 0, 1.0)
        other.follow(3, 0)
        assert np.allclose(one.scores(3)[1:], other.scores(3)[1:])


def test_more_items_than_rules_can_be_held_of() -> None:
    with pytest.raises(ConfigError, match="sr holds a rule for every pair of items, and of 16,385"):
        Rules(Shape(1, MOST_ITEMS + 1, 1))


@pytest.mark.parametrize(("kind", "file", "shared"), [(Rules, "sr", 0.75), (Vsknn, "vsknn", 0.7)])
def test_lists_as_other_implementations_make_them(
    kind: type[Baseline], file: str, shared: float
) -> None:
    common, ours, theirs = compared(kind, file)
    assert common > shared
    assert ours > theirs - 0.03  # its standard error is .025
