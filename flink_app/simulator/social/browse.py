"""How users browse the simulated network: sessions of views, some of which lead to likes, comments
and shares.

In: the posts, who follows whom, the tastes of the visiting users, and a seeded generator. Out:
`Actions`, with the moment of each in steps of browsing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions
from flink_app.simulator.sessions import lengths, moments, pick
from flink_app.simulator.shelves import SHELF
from flink_app.simulator.social.follows import Follows
from flink_app.simulator.social.interest import (
    FOLLOWED,
    GONE,
    comment_probability,
    like_probability,
    share_probability,
)
from flink_app.simulator.social.posts import Posts

_FEED = 6  # of them, by authors whom the user follows
_NEWEST = 24  # of those authors
_CHOOSY = 6.0  # inverse temperature of the choice from a shelf
_LEAST = np.float32(-40.0)  # scores are finite
_LEADS = (like_probability, comment_probability, share_probability)


def affinity(
    posts: Posts,
    follows: Follows,
    users: NDArray[np.int64],
    tastes: NDArray[np.float32],
    items: NDArray[np.int64],
) -> NDArray[np.float32]:
    """True affinity a = taste · vector + quality + follows − age + shares, see `interest`.

    users: (n,) int64. tastes: (n, FACTORS) float32, theirs. items: (n, k) post numbers. Returns
    (n, k) float32, `GONE` for posts that are over and for the users' own.
    """
    authors = posts.authors[items]
    scores = np.einsum("nkf,nf->nk", posts.vectors[items], tastes) + posts.appeal(items)
    scores += np.float32(FOLLOWED) * follows.followed(users, authors)
    scores[(posts.ends[items] <= posts.now) | (authors == users[:, None])] = GONE
    found: NDArray[np.float32] = scores
    return found


class Browsing:
    """What users see while they browse."""

    def __init__(self, rng: np.random.Generator, posts: Posts, follows: Follows) -> None:
        self._rng, self._posts, self._follows = rng, posts, follows

    def sessions(
        self,
        users: NDArray[np.int64],
        tastes: NDArray[np.float32],
        first_session: int,
        session_views: float,
    ) -> tuple[Actions, NDArray[np.float64]]:
        """One complete session of each of the given (different) users; there is a live post.

        Each view is chosen from a shelf with P(i) ∝ exp(6 a(i)), a the true affinity; it leads to a
        like, a comment and a share, independently, with the probabilities of `interest`.

        users: (n,) int64. tastes: (n, FACTORS) float32, theirs. first_session: number of the first
        session. session_views: mean of the geometric length. Returns the actions and their moments,
        float64 steps from 0, ascending within a post of a session.
        """
        rng = self._rng
        views = lengths(rng, len(users), session_views)
        owner = np.repeat(np.arange(len(users)), views)
        shelves = self._shelves(users, views)
        liking = affinity(self._posts, self._follows, users[owner], tastes[owner], shelves)
        chosen = pick(rng, np.maximum(_CHOOSY * liking, _LEAST))
        rows = np.arange(len(owner))
        items, liking = shelves[rows, chosen], liking[rows, chosen]
        # Nobody reads a post twice in a session, or their own where a shelf has no other.
        rows = np.sort(np.unique(owner * len(self._posts) + items, return_index=True)[1])
        rows = rows[liking[rows] > GONE]
        liking = liking[rows]
        led = [rows] + [rows[rng.random(len(rows)) < p(liking)] for p in _LEADS]
        at, kinds = np.concatenate(led), np.repeat(np.arange(4), [len(one) for one in led])
        actions = Actions(users[owner][at], items[at], kinds, first_session + owner[at])
        # Before the next view, which is at least 0.5 steps later.
        return actions, moments(rng, views, session_views)[at] + 0.1 * kinds

    def _shelves(self, users: NDArray[np.int64], views: NDArray[np.int64]) -> NDArray[np.int64]:
        """The posts that each view chooses from, (sum of views, SHELF) int64: some by authors whom
        the user follows, the others by how often they are on display, with repetition."""
        live, rng = self._posts.live, self._rng
        sums = np.cumsum(self._posts.display(self._follows.fame))
        draws = rng.random((int(views.sum()), SHELF)) * sums[-1]
        # rounding may lift a draw onto the last sum itself
        shelves: NDArray[np.int64] = live[
            np.minimum(np.searchsorted(sums, draws, side="right"), len(live) - 1)
        ]
        newest = live[np.argsort(-self._posts.born[live], kind="stable")]
        authors, end = self._posts.authors[newest], 0
        for user, count in zip(users.tolist(), views.tolist(), strict=True):
            feed = newest[np.isin(authors, self._follows.of[user])][:_NEWEST]
            if len(feed):
                places = rng.integers(0, len(feed), (count, _FEED))
                shelves[end : end + count, :_FEED] = feed[places]
            end += count
        return shelves
