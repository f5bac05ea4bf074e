"""The posts of the simulated network: what they are about, by whom, and for how long they live.

In: a seeded generator, authors and their tastes, the time in ms since the world began. Out: arrays
over posts, and shelves: the posts that a browsing user sees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.sessions import pick
from flink_app.simulator.social.interest import faded, spread
from flink_app.simulator.social.names import TOPICS
from flink_app.simulator.social.wording import MOODS_EACH, Wording, Words
from flink_app.simulator.truth import FACTORS, unit

_FOCUSED = 4.0  # inverse temperature of the choice of a topic
_OWN, _SPREAD = 0.3, 0.6  # of an author's taste and of chance in what a post is like
_QUALITY = 0.3
_REACH = 0.3  # how much more often a post is on display for each time that it was shared


class Posts:
    """All posts so far; post n is row n of each array.

    centres: (12, FACTORS) float32, orthonormal, one direction of taste per topic.
    vectors: (posts, FACTORS) float32, unit rows near the centre of their topic.
    quality: (posts,) float32, 0 to 0.3, the part of affinity that all users share.
    topics, authors, shares: (posts,) int64. born, ends: (posts,) float64, ms.
    words: of the posts. live: (n,) int64, those that are shown, ascending.
    """

    def __init__(self, rng: np.random.Generator, lifetime_ms: float) -> None:
        self._rng, self._lifetime = rng, lifetime_ms
        axes, _ = np.linalg.qr(rng.standard_normal((FACTORS, FACTORS)))
        self.centres: NDArray[np.float32] = axes[: len(TOPICS)].astype(np.float32)
        self._wording = Wording(rng.spawn(1)[0], self.centres)
        none = np.empty(0, np.int64)
        self.vectors: NDArray[np.float32] = np.empty((0, FACTORS), np.float32)
        self.quality: NDArray[np.float32] = np.empty(0, np.float32)
        self.topics, self.authors, self.shares = none, none, none
        self.words = Words(none, np.empty((0, MOODS_EACH), np.int64))
        self.born, self.ends = np.empty(0), np.empty(0)
        self.live = none
        self.now = 0.0

    def __len__(self) -> int:
        return len(self.ends)

    def write(self, authors: NDArray[np.int64], tastes: NDArray[np.float32], old: bool) -> None:
        """Add a post by each of these authors, (n,) int64, of whom some may be several times.

        tastes: (n, FACTORS) float32, theirs. old: whether the posts are of any age, as those that
        are there when the world begins, or new.
        """
        rng, n = self._rng, len(authors)
        topics = pick(rng, _FOCUSED * tastes @ self.centres.T)
        chance = rng.standard_normal((n, FACTORS)) * (_SPREAD / FACTORS**0.5)
        vectors = unit((self.centres[topics] + _OWN * tastes + chance).astype(np.float32))
        lives = self._lifetime * rng.uniform(0.5, 1.5, n)
        born = self.now - lives * (rng.random(n) if old else 0.0)
        quality = _QUALITY * rng.random(n)
        words = self._wording.choose(vectors, topics)
        self.vectors = np.concatenate([self.vectors, vectors])
        self.quality = np.concatenate([self.quality, quality.astype(np.float32)])
        self.topics = np.concatenate([self.topics, topics])
        self.authors = np.concatenate([self.authors, authors])
        self.shares = np.concatenate([self.shares, np.zeros(n, np.int64)])
        pairs = zip(self.words, words, strict=True)
        self.words = Words(*(np.concatenate(pair) for pair in pairs))
        self.born = np.concatenate([self.born, born])
        # The last one, because it says how many posts there are; another thread may be reading.
        self.ends = np.concatenate([self.ends, born + lives])

    def pass_time(self, now: float) -> None:
        """Let it be `now`, ms."""
        self.now = now
        self.live = np.flatnonzero(self.ends > now)

    def ages(self, posts: NDArray[np.int64] | slice) -> NDArray[np.float64]:
        """How old posts are, as a share of the mean lifetime, the same shape."""
        age: NDArray[np.float64] = (self.now - self.born[posts]) / self._lifetime
        return np.maximum(age, 0.0)

    def appeal(self, posts: NDArray[np.int64] | slice) -> NDArray[np.float32]:
        """The part of affinity that all users share, the same shape, float32: quality, age and what
        shares add."""
        gained = spread(self.shares[posts]) - faded(self.ages(posts))
        found: NDArray[np.float32] = self.quality[posts] + gained.astype(np.float32)
        return found

    def display(self, fame: NDArray[np.float64]) -> NDArray[np.float64]:
        """How often each live post is on a shelf, (n,) float64 above 0, not normalised: it is on
        more of them if its author is famous, if it is new, and once it was shared.

        fame: (users,) float64 above 0.
        """
        fresh = 1.0 - faded(self.ages(self.live))
        weights: NDArray[np.float64] = fame[self.authors[self.live]] * fresh
        return weights * (1.0 + _REACH * self.shares[self.live])
