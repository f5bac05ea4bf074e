from __future__ import annotations

import numpy as np

from flink_app.simulator.video.truth import PEEK, WATCHED, favourites, fractions, stars

MANY = 20_000


def liking(affinity: float) -> np.ndarray:
    return np.full(MANY, affinity, np.float32)


def test_what_suits_better_is_watched_further() -> None:
    random = np.random.default_rng(1)
    watched = [fractions(random, liking(affinity)) for affinity in (-0.2, 0.2, 0.45, 0.7, 1.1)]
    for some in watched:
        assert some.min() > 0
        assert some.max() <= 1
        assert np.all(some == np.round(some, 3))
    means = [some.mean() for some in watched]
    assert means == sorted(means)
    assert means[0] < 0.15
    assert 0.45 < means[2] < 0.75
    ended = [np.mean(some >= WATCHED) for some in watched]
    assert ended[0] < 0.02
    assert 0.45 < ended[2] < 0.55
    assert ended[-1] > 0.97
    assert np.mean(watched[0] < PEEK) > 0.7


def test_few_videos_are_rated_and_better_ones_get_more_stars() -> None:
    random = np.random.default_rng(2)
    given = [stars(random, liking(affinity)) for affinity in (-0.5, 0.5, 1.1)]
    for some in given:
        assert set(np.unique(some).tolist()) <= {0, 1, 2, 3, 4, 5}
        assert 0.13 < np.mean(some > 0) < 0.17
    assert given[0].max() <= 3
    middle = given[1][given[1] > 0]
    assert 2.8 < middle.mean() < 3.2
    assert given[2][given[2] > 0].mean() > 4.5


def test_only_what_was_watched_to_its_end_becomes_a_favourite() -> None:
    random = np.random.default_rng(3)
    watched = np.where(np.arange(MANY) % 2, 0.5, 0.95)
    liked = favourites(random, liking(0.9), watched)
    assert not liked[1::2].any()
    assert 0.15 < liked[::2].mean() < 0.3
    assert favourites(random, liking(0.2), watched).mean() < 0.005
