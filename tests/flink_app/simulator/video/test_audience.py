from __future__ import annotations

import numpy as np
import pytest

from flink_app.simulator import truth
from flink_app.simulator.video.audience import answer

AFFINITY = np.array([0.0, 0.7, 1.0, 0.2], np.float32)


def test_videos_are_begun_with_the_probability_of_the_truth() -> None:
    random = np.random.default_rng(1)
    lists = [answer(random, AFFINITY, AFFINITY) for _ in range(4000)]
    begun = sum(one.kind == "watch" for events in lists for one in events)
    chances = truth.click_probability(AFFINITY)
    assert begun / 4000 == pytest.approx(float(truth.expected_clicks(chances)), abs=0.02)


def test_what_was_looked_at_comes_first_and_ratings_follow_a_watch() -> None:
    random, kinds = np.random.default_rng(2), set()
    for _ in range(2000):
        events = answer(random, AFFINITY, AFFINITY)
        told = [one.kind for one in events]
        kinds |= set(told)
        watches = [place for place, kind in enumerate(told) if kind == "watch"]
        looked = watches[0] if watches else len(told)
        assert told[:looked] == ["impression"] * looked
        assert [one.position for one in events[:looked]] == list(range(looked))
        assert {one.position for one in events[looked:]} <= {looked}
        for one in events:
            assert (one.value is None) == (one.kind in ("impression", "favourite"))
    assert kinds == {"impression", "watch", "rating", "favourite"}


def test_an_empty_list_gets_no_events() -> None:
    nothing = np.empty(0, np.float32)
    assert answer(np.random.default_rng(0), nothing, nothing) == []
