from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from flink_app.simulator.people import People
from flink_app.simulator.social.browse import Browsing, affinity
from flink_app.simulator.social.follows import Follows
from flink_app.simulator.social.interest import FOLLOWED, GONE
from flink_app.simulator.social.lines import KINDS
from flink_app.simulator.social.posts import Posts

HOUR = 3_600_000.0


class Network(NamedTuple):
    posts: Posts
    people: People
    follows: Follows


@pytest.fixture
def network() -> Network:
    rng = np.random.default_rng(1)
    posts = Posts(rng, 10 * HOUR)
    people = People(rng, 200, posts.centres)
    follows = Follows(rng, 8, 0.8)
    follows.grow(people.tastes)
    posts.write(np.arange(400) % 200, people.tastes[np.arange(400) % 200], old=True)
    posts.pass_time(2 * HOUR)
    return Network(posts, people, follows)


def test_affinity_is_taste_follows_and_age_and_nothing_of_what_is_over_or_own(
    network: Network,
) -> None:
    posts, people, follows = network
    everything = np.arange(len(posts))[None, :]
    (found,) = affinity(posts, follows, np.array([7]), people.tastes[[7]], everything)
    over = posts.ends <= posts.now
    own = posts.authors == 7
    assert over.any() and own.any()
    assert (found[over | own] == GONE).all()
    plain = posts.vectors @ people.tastes[7] + posts.appeal(slice(None))
    followed = np.isin(posts.authors, follows.of[7])
    rest = ~(over | own)
    np.testing.assert_allclose(found[rest], (plain + FOLLOWED * followed)[rest], atol=1e-6)


def test_sessions_view_live_posts_and_like_what_suits(network: Network) -> None:
    posts, people, follows = network
    users = np.arange(200)
    browsing = Browsing(np.random.default_rng(2), posts, follows)
    actions, moments = browsing.sessions(users, people.tastes, 1000, 8.0)
    assert np.isin(actions.items, posts.live).all()
    assert (posts.authors[actions.items] != actions.users).all(), "never an own post"
    assert {*np.unique(actions.sessions).tolist()} == {*range(1000, 1200)}
    shown = affinity(posts, follows, users, people.tastes, np.tile(posts.live, (200, 1)))
    given = actions.users, people.tastes[actions.users], actions.items[:, None]
    liking = affinity(posts, follows, *given)[:, 0]
    assert liking.mean() > shown[shown > GONE].mean() + 0.2
    view, like = (actions.kinds == KINDS.index(name) for name in ("view", "like"))
    assert liking[like].mean() > liking[view].mean() + 0.1
    followed = follows.followed(actions.users, posts.authors[actions.items][:, None])
    assert followed[view].mean() > 0.3
    # What leads to something is a view before it, of the same post in the same session.
    views: dict[tuple[int, int], float] = {}
    for session, item, kind, at in zip(
        actions.sessions.tolist(),
        actions.items.tolist(),
        actions.kinds.tolist(),
        moments.tolist(),
        strict=True,
    ):
        if kind == 0:
            assert (session, item) not in views, "nobody reads a post twice in a session"
            views[session, item] = at
        else:
            assert 0 < at - views[session, item] < 0.5
