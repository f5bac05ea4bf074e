from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.simulator.video.library import NONE, Library
from flink_app.simulator.video.names import GENRES


def library(items: int, episodes: float = 0.6, seed: int = 5) -> Library:
    return Library(np.random.default_rng(seed), items, 0.8, episodes)


@given(st.integers(1, 300), st.floats(0, 1), st.integers(0, 50))
def test_episodes_of_a_series_come_in_order_and_are_alike(
    items: int, episodes: float, more: int
) -> None:
    found = library(items, episodes)
    found.grow(more)
    assert len(found) == items + more
    for item in range(len(found)):
        before, after = int(found.before[item]), int(found.after[item])
        if found.series[item] == NONE:
            assert (found.episodes[item], before, after) == (0, NONE, NONE)
            continue
        if found.episodes[item] == 1:
            assert before == NONE
        else:
            assert before < item
            assert found.after[before] == item
            assert found.episodes[before] == found.episodes[item] - 1
            assert found.vectors[before] @ found.vectors[item] > 0.9
            for column in (found.series, found.genres, found.seconds):
                assert column[before] == column[item]
        if after != NONE:
            assert found.before[after] == item


def test_vectors_are_unit_and_nearest_to_their_own_genre() -> None:
    found = library(600)
    np.testing.assert_allclose(np.linalg.norm(found.vectors, axis=1), 1.0, atol=1e-5)
    nearest = np.argmax(found.vectors @ found.centres.T, axis=1)
    assert np.mean(nearest == found.genres) > 0.9


def test_about_the_given_share_of_the_videos_are_episodes() -> None:
    for share in (0.0, 0.3, 1.0):
        assert np.mean(library(1000, share).series != NONE) == pytest.approx(share, abs=0.05)


def test_growth_keeps_what_was_there_and_lets_series_go_on() -> None:
    found = library(100)
    vectors, popularity, open_ = found.vectors.copy(), found.popularity.copy(), found.after == NONE
    found.grow(60)
    np.testing.assert_array_equal(found.vectors[:100], vectors)
    np.testing.assert_array_equal(found.popularity[:100], popularity)
    assert (found.after[:100][open_] >= 100).any()


def test_shelves_have_videos_of_the_wanted_genre() -> None:
    found = library(400)
    shelf = found.shelves(np.full(2000, 3))
    assert np.all(found.genres[shelf[:, 8:]] == 3)
    assert len(np.unique(found.genres[shelf[:, :8]])) == len(GENRES)


def test_titles_are_different_and_episodes_have_the_name_of_their_series() -> None:
    found = library(300)
    titles = [found.wording.title(n, int(found.episodes[n])) for n in range(300)]
    assert len(set(titles)) == 300
    for item in np.flatnonzero(found.before >= 0).tolist():
        before = int(found.before[item])
        assert found.wording.name(item) == found.wording.name(before)
        assert found.wording.tags(item) == found.wording.tags(before)
