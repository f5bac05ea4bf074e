from __future__ import annotations

import numpy as np
import pytest

from flink_app.simulator.social.posts import Posts
from flink_app.simulator.truth import FACTORS, unit

HOUR = 3_600_000.0


@pytest.fixture
def posts() -> Posts:
    rng = np.random.default_rng(1)
    found = Posts(rng, 10 * HOUR)
    tastes = unit(rng.standard_normal((400, FACTORS)).astype(np.float32))
    found.write(np.arange(400), tastes, old=True)
    found.pass_time(0.0)
    found.tastes = tastes  # type: ignore[attr-defined]
    return found


def test_posts_are_there_at_first_at_any_age_and_end(posts: Posts) -> None:
    assert len(posts.live) == len(posts) == 400
    ages = posts.ages(posts.live)
    assert ages.min() < 0.05 and ages.max() > 0.9
    left = []
    for hours in range(16):
        posts.pass_time(hours * HOUR)
        left.append(len(posts.live))
        assert (posts.ends[posts.live] > posts.now).all()
    assert left == sorted(left, reverse=True) and left[-1] == 0 < left[8]


def test_new_ones_live_for_half_to_one_and_a_half_times_as_long(posts: Posts) -> None:
    posts.pass_time(5 * HOUR)
    posts.write(np.arange(50), posts.tastes[:50], old=False)  # type: ignore[attr-defined]
    assert (posts.born[400:] == posts.now).all()
    lives = (posts.ends - posts.born)[400:] / HOUR
    assert 5 <= lives.min() < 7 and 13 < lives.max() <= 15


def test_authors_write_about_what_they_like(posts: Posts) -> None:
    tastes = posts.tastes  # type: ignore[attr-defined]
    own = np.einsum("nf,nf->n", posts.vectors, tastes)
    others = np.einsum("nf,nf->n", posts.vectors, np.roll(tastes, 1, axis=0))
    assert own.mean() > others.mean() + 0.3
    nearest = np.argmax(posts.vectors @ posts.centres.T, axis=1)
    assert (nearest == posts.topics).mean() > 0.9


def test_appeal_falls_with_age_and_rises_with_shares(posts: Posts) -> None:
    before = posts.appeal(slice(None))
    posts.shares[:10] = 5
    assert (posts.appeal(slice(None)) > before)[:10].all()
    posts.pass_time(HOUR)
    assert (posts.appeal(slice(None)) < before)[10:].all()


def test_what_is_shared_new_or_by_the_famous_is_on_display(posts: Posts) -> None:
    fame = np.ones(400)
    plain = posts.display(fame)
    order = np.argsort(-posts.born)
    assert (np.diff(plain[order]) <= 1e-9).all(), "the newest most"
    posts.shares[7] = 3
    fame[8] = 2.0
    more = posts.display(fame)
    assert more[7] > plain[7] and more[8] == pytest.approx(2 * plain[8])
