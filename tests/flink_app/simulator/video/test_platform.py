from __future__ import annotations

import json

import numpy as np
import pytest

from flink_app.simulator.video.lines import WATCH
from flink_app.simulator.video.platform import VideoPlatform
from flink_app.simulator.video.settings import VideoSettings
from flink_app.simulator.video.truth import NEXT
from flink_app.simulator.world import Reaction

SMALL = VideoSettings(users=120, items=200, seed=4, new_users=0, new_items=0)


def test_watching_an_episode_makes_the_next_one_likely() -> None:
    site = VideoPlatform(SMALL)
    library = site._library
    first = int(np.flatnonzero((library.episodes == 1) & (library.after >= 0))[0])
    after = int(library.after[first])
    before = site.affinity("u7")
    site.heed(7, first, Reaction(0, "watch", 0.5))
    site.heed(7, first, Reaction(0, "rating", 5.0))
    np.testing.assert_array_equal(site.affinity("u7"), before)
    site.heed(7, first, Reaction(0, "watch", 0.97))
    changed = site.affinity("u7") - before
    assert changed[after] > NEXT
    assert changed[first] < -0.9
    assert np.count_nonzero(changed) == 2
    chance = site.click_probability("u7", [f"i{after}"])[0]
    assert chance == pytest.approx(1 / (1 + np.exp(-10 * (site.affinity("u7")[after] - 0.8))))


def test_what_a_block_watches_is_true_from_the_next_one_on() -> None:
    site = VideoPlatform(SMALL)
    before = site.affinities(np.arange(120))
    block = site.advance()
    drifted = np.unique(block.users)
    rest = np.setdiff1d(np.arange(120), drifted)
    np.testing.assert_array_equal(site.affinities(rest), before[rest])
    ended = (block.kinds == WATCH) & (block.values >= 0.9)
    assert ended.any()
    likes = site.affinities(block.users[ended])[np.arange(ended.sum()), block.items[ended]]
    site.advance()
    later = site.affinities(block.users[ended])[np.arange(ended.sum()), block.items[ended]]
    assert np.mean(later < likes - 0.5) > 0.9


def test_videos_arrive_and_are_watched() -> None:
    site = VideoPlatform(VideoSettings(users=120, items=200, new_items=0.05, metadata=True))
    assert len(site.news(0)) == 200
    watched: set[int] = set()
    for _ in range(30):
        watched |= set(site.advance().items.tolist())
    fresh = [json.loads(line) for line in site.news(5)]
    assert [one["item"] for one in fresh] == [f"i{n}" for n in range(200, site.items)]
    assert {one["published"] for one in fresh} == {5}
    assert len([item for item in watched if item >= 200]) > 10
    assert site.is_new("i200")
    assert site.news(6) == []
