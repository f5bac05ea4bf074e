from __future__ import annotations

import numpy as np

from flink_app.simulator import truth
from flink_app.simulator.social.audience import answer
from flink_app.simulator.social.interest import GONE


def test_lists_are_read_from_the_top_until_a_post_is_opened() -> None:
    rng = np.random.default_rng(1)
    affinity = np.array([0.2, 0.7, 0.9, 1.2], np.float32)
    runs = [answer(rng, affinity) for _ in range(4000)]
    opened = 0
    for run in runs:
        looked = [one.position for one in run if one.kind == "impression"]
        assert looked == [*range(len(looked))]
        rest = [one for one in run if one.kind != "impression"]
        if rest:
            opened += 1
            assert rest[0].kind == "view" and {one.position for one in rest} == {len(looked)}
            assert len({one.kind for one in rest}) == len(rest)
    wanted = truth.expected_clicks(truth.click_probability(affinity))
    assert abs(opened / len(runs) - wanted) < 0.03


def test_posts_that_are_over_are_never_opened() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        run = answer(rng, np.full(10, GONE, np.float32))
        assert {one.kind for one in run} == {"impression"}
