from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from flink_app.simulator import truth
from flink_app.simulator.shop.audience import answer, disliked_views, sends_dislikes

AFFINITY = np.array([0.0, 0.7, 1.0, 0.2], np.float32)


def many(dislikes: bool, trials: int = 4000) -> Counter[tuple[int, str]]:
    rng = np.random.default_rng(1)
    return Counter(event for _ in range(trials) for event in answer(rng, AFFINITY, dislikes))


def test_clicks_have_the_probability_of_the_truth() -> None:
    found = many(dislikes=False)
    clicks = sum(count for (_, kind), count in found.items() if kind == "click")
    chances = truth.click_probability(AFFINITY)
    assert clicks / 4000 == pytest.approx(float(truth.expected_clicks(chances)), abs=0.02)
    assert not any(kind == "dislike" for _, kind in found)


def test_items_seen_without_a_click_are_impressions_and_may_be_disliked() -> None:
    found = many(dislikes=True)
    assert found[0, "impression"] == pytest.approx(4000, rel=0.01)
    assert found[0, "impression"] > found[1, "impression"] > found[3, "impression"] > 0
    disliked = found[0, "dislike"] / found[0, "impression"]
    assert disliked == pytest.approx(float(truth.dislike_probability(0.0)), abs=0.03)
    assert found[2, "cart"] <= found[2, "click"]


def test_a_list_ends_with_its_click_and_the_events_that_follow_it() -> None:
    rng = np.random.default_rng(2)
    for _ in range(500):
        events = answer(rng, AFFINITY, dislikes=True)
        places = [position for position, _ in events]
        assert places == sorted(places)
        kinds = [kind for _, kind in events]
        funnel = [kind for kind in kinds if kind in ("click", "cart", "purchase")]
        assert funnel == ["click", "cart", "purchase"][: len(funnel)]
        if funnel:
            assert kinds[-len(funnel) :] == funnel
            assert (places[-1], "impression") not in events


def test_an_empty_list_gets_no_events() -> None:
    assert answer(np.random.default_rng(0), np.empty(0, np.float32), dislikes=True) == []


def test_only_every_other_user_sends_dislikes() -> None:
    users = np.arange(2000)
    disliked = disliked_views(np.random.default_rng(0), users, np.full(2000, -1.0, np.float32))
    assert not disliked[~sends_dislikes(users)].any()
    assert disliked[sends_dislikes(users)].mean() == pytest.approx(0.3, abs=0.05)
