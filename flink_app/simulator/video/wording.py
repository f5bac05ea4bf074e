"""The words that describe the simulated videos: titles, tags and texts.

In: latent vectors and genres. Out: words of `names`: each has a direction of taste, and a video has
the words whose directions are nearest to what sets it apart within its genre. So what is described
alike suits the same users. The episodes of a series have its words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import FACTORS, unit
from flink_app.simulator.video.names import (
    EPISODES,
    GENRES,
    LOOKS,
    MOODS,
    NOUNS,
    NOUNS_EACH,
    PLACES,
)

MOODS_EACH = 3
"""Moods of each video."""


class Wording:
    """The directions of all words, and the words of all videos so far.

    centres: (10, FACTORS) float32, orthonormal, the directions of the genres.
    """

    def __init__(self, random: np.random.Generator, centres: NDArray[np.float32]) -> None:
        self._centres = centres
        counts = [len(GENRES) * NOUNS_EACH, len(LOOKS), len(MOODS)]
        rows = unit(random.standard_normal((sum(counts), FACTORS)).astype(np.float32))
        nouns, self._looks, self._moods = np.split(rows, np.cumsum(counts)[:-1])
        self._nouns = nouns.reshape(len(GENRES), NOUNS_EACH, FACTORS)
        self._names: list[str] = []
        self._episodes: list[int] = []
        self._tags: list[list[str]] = []
        self._used: dict[str, int] = {}

    def add(
        self, vectors: NDArray[np.float32], genres: NDArray[np.int64], before: NDArray[np.int64]
    ) -> None:
        """Choose the words of the next n videos.

        vectors: (n, FACTORS) float32. genres: (n,) int64. before: (n,) int64, the number of the
        previous episode, or below 0.
        """
        own = vectors - self._centres[genres]
        nouns = np.argmax(np.einsum("nf,nkf->nk", own, self._nouns[genres]), axis=1).tolist()
        looks = np.argmax(own @ self._looks.T, axis=1).tolist()
        moods = np.argsort(own @ -self._moods.T, axis=1, kind="stable")[:, :MOODS_EACH].tolist()
        kinds = genres.tolist()
        for n, old in enumerate(before.tolist()):
            if old >= 0:
                self._names.append(self._names[old])
                self._episodes.append(self._episodes[old] + 1)
                self._tags.append(self._tags[old])
                continue
            noun = NOUNS[GENRES[kinds[n]]][nouns[n]]
            self._names.append(self._unique(f"{LOOKS[looks[n]]} {noun}"))
            self._episodes.append(1)
            self._tags.append([noun.lower(), *(MOODS[mood] for mood in moods[n])])

    def _unique(self, name: str) -> str:
        turn = self._used[name] = self._used.get(name, 0) + 1
        if turn == 1:
            return name
        place = f"{name} in {PLACES[(turn - 2) % len(PLACES)]}"
        return place if turn < len(PLACES) + 2 else f"{place} {turn}"

    def name(self, number: int) -> str:
        """The name of the film or the series; no two share one."""
        return self._names[number]

    def title(self, number: int, episode: int) -> str:
        """The title of a video; episode: from 1, or 0 for a film."""
        if not episode:
            return f"The {self.name(number)}"
        return f"{self.name(number)}, {episode}: {EPISODES[(number + episode) % len(EPISODES)]}"

    def tags(self, number: int) -> list[str]:
        """What the video is about and how it feels, in lower case."""
        return self._tags[number]
