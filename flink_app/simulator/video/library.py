"""The videos of the simulated platform: latent vectors, popularity with a long tail, series.

In: a seeded generator and the number of videos to add. Out: arrays over videos, and shelves: the
videos that a browsing user sees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.shelves import Shelves
from flink_app.simulator.truth import FACTORS, unit, zipf_weights
from flink_app.simulator.video.names import GENRES
from flink_app.simulator.video.wording import Wording

_SPREAD = 0.6
_QUALITY = 0.3
_ALIKE = 0.1  # how far the episodes of a series differ
_LAST = 10  # the last episode of a series
_AT_ONCE = 40  # a new series begins while fewer than one video in so many is one that goes on
_LATER = 0.25  # how often a later episode is on display, compared with the first
NONE = -1
"""No item, no series."""


class Library:
    """All videos so far; video n is row n of each array.

    centres: (10, FACTORS) float32, orthonormal, one direction of taste per genre.
    vectors: (items, FACTORS) float32, unit rows near the centre of their genre; those of a series
        are almost the same.
    genres: (items,) int64, positions in `GENRES`. appeal: (items,) float32, −0.15 to 0.15: the part
        of affinity that all users share, larger for popular videos.
    series, episodes: (items,) int64: the number of the series, or NONE, and the episode from 1, or
        0 for a film. before, after: (items,) int64, the previous and the next episode, or NONE.
    seconds: (items,) int64, how long it lasts.
    popularity: (items,) float64, above 0, not normalised: how often a video is on a shelf.
    """

    def __init__(
        self, random: np.random.Generator, items: int, exponent: float, episodes: float
    ) -> None:
        self._random, self._exponent, self._episodes = random, exponent, episodes
        self._ranks = items
        axes, _ = np.linalg.qr(random.standard_normal((FACTORS, FACTORS)))
        self.centres: NDArray[np.float32] = axes[: len(GENRES)].astype(np.float32)
        self.vectors: NDArray[np.float32] = np.empty((0, FACTORS), np.float32)
        self.appeal: NDArray[np.float32] = np.empty(0, np.float32)
        none = np.empty(0, np.int64)
        self.genres = self.series = self.episodes = self.before = self.after = self.seconds = none
        self.popularity: NDArray[np.float64] = np.empty(0, np.float64)
        self.wording = Wording(random.spawn(1)[0], self.centres)
        self._running: list[int] = []  # the latest episode of each series that goes on
        self._add(random.permutation(items))

    def __len__(self) -> int:
        return len(self.popularity)

    def grow(self, count: int) -> None:
        """Add `count` (at least 0) videos: films, first episodes, and next ones of series."""
        if count:
            self._add(self._random.integers(0, self._ranks, count))

    def _add(self, ranks: NDArray[np.int64]) -> None:
        """Append one video per popularity rank, (count,) integers from 0 for the most popular; the
        episodes of a series have the rank of its first."""
        random, first, count = self._random, len(self), len(ranks)
        noise = random.standard_normal((count, FACTORS)) * (_SPREAD / FACTORS**0.5)
        genres = np.arange(first, first + count) % len(GENRES)
        vectors = unit((self.centres[genres] + noise).astype(np.float32))
        seconds = random.integers(80 * 60, 140 * 60, count)
        rows = (
            np.concatenate([self.vectors, vectors]),
            np.concatenate([self.appeal, _appeal(ranks, self._ranks)]),
            np.concatenate([self.popularity, zipf_weights(ranks, self._exponent)]),
        )
        vectors, appeal, popularity = rows
        genres, seconds = _more(self.genres, genres), _more(self.seconds, seconds)
        series = _more(self.series, np.full(count, NONE))
        episodes = _more(self.episodes, np.zeros(count, np.int64))
        before = _more(self.before, np.full(count, NONE))
        after = _more(self.after, np.full(count, NONE))
        for n in np.flatnonzero(random.random(count) < self._episodes).tolist():
            item = first + n
            if len(self._running) * _AT_ONCE <= item:
                series[item], episodes[item] = int(series.max()) + 1, 1
                seconds[item] = seconds[item] * 3 // 8  # 30 to 52 minutes
                self._running.append(item)
                continue
            place = int(random.integers(len(self._running)))
            old = self._running[place]
            own = random.standard_normal(FACTORS) * (_ALIKE / FACTORS**0.5)
            vectors[item] = unit((vectors[old] + own).astype(np.float32)[None, :])[0]
            popularity[item] = popularity[old] * (_LATER if episodes[old] == 1 else 1.0)
            for column in (genres, series, appeal, seconds):
                column[item] = column[old]
            episodes[item], before[item], after[old] = episodes[old] + 1, old, item
            self._running[place] = item
            if episodes[item] == _LAST:
                del self._running[place]
        self.vectors, self.appeal, self.genres, self.seconds = vectors, appeal, genres, seconds
        self.series, self.episodes, self.before, self.after = series, episodes, before, after
        self.wording.add(vectors[first:], genres[first:], before[first:])
        self._shelves = Shelves(popularity, genres, len(GENRES))
        # The last one, because it says how many videos there are; another thread may be reading.
        self.popularity = popularity

    def shelves(self, genres: NDArray[np.int64]) -> NDArray[np.int64]:
        """The videos that each user chooses from, see `Shelves.draw`; genres: (n,) int64."""
        return self._shelves.draw(self._random, genres)

    def affinity(
        self, tastes: NDArray[np.float32], items: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Taste · vector + appeal of each row's user for each row's videos, whatever was watched.

        tastes: (n, FACTORS) float32, unit rows. items: (n, k) numbers. Returns (n, k) float32.
        """
        scores = np.einsum("nkf,nf->nk", self.vectors[items], tastes)
        affinities: NDArray[np.float32] = scores + self.appeal[items]
        return affinities


def _appeal(ranks: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    return (_QUALITY * (0.5 - ranks / count)).astype(np.float32)


def _more(column: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """A column with more rows, as a new array."""
    return np.concatenate([column, rows])
