"""The words of the simulated network's posts.

In: latent vectors of posts, and their topics. Out: numbers of words of `names`: each word has a
direction of taste, and a post has the words whose directions are nearest to what sets it apart
within its topic. So what is worded alike suits the same users.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.social.names import MOODS, SAYINGS, SUBJECTS, SUBJECTS_EACH, TOPICS
from flink_app.simulator.truth import FACTORS, unit

MOODS_EACH = 2
"""Moods of each post."""
_TITLE = 40  # characters


class Words(NamedTuple):
    """The words of n posts: int64[n], int64[n, MOODS_EACH]."""

    subjects: NDArray[np.int64]
    moods: NDArray[np.int64]


class Wording:
    """The directions of all words.

    Args:
        centres: (12, FACTORS) float32, orthonormal, the directions of the topics.
    """

    def __init__(self, rng: np.random.Generator, centres: NDArray[np.float32]) -> None:
        self._centres = centres
        count = len(TOPICS) * SUBJECTS_EACH
        rows = unit(rng.standard_normal((count + len(MOODS), FACTORS)).astype(np.float32))
        subjects, self._moods = np.split(rows, [count])
        self._subjects = subjects.reshape(len(TOPICS), SUBJECTS_EACH, FACTORS)

    def choose(self, vectors: NDArray[np.float32], topics: NDArray[np.int64]) -> Words:
        """The words of posts: (n, FACTORS) float32, (n,) int64."""
        own = vectors - self._centres[topics]
        subjects = np.argmax(np.einsum("nf,nkf->nk", own, self._subjects[topics]), axis=1)
        moods = np.argsort(own @ -self._moods.T, axis=1, kind="stable")[:, :MOODS_EACH]
        return Words(subjects, moods)


def said(words: Words, number: int, topic: int) -> str:
    """The text of post `number`.

    >>> said(Words(np.array([1]), np.array([[0, 3]])), 0, TOPICS.index("pets"))
    'About the puppy: wonderful, unexpected, and worth every minute.'
    """
    first, second = (MOODS[mood] for mood in words.moods[number])
    return SAYINGS[number % len(SAYINGS)].format(
        subject=subject(words, number, topic), topic=TOPICS[topic], mood=first, other=second
    )


def subject(words: Words, number: int, topic: int) -> str:
    """What post `number` is about."""
    return SUBJECTS[TOPICS[topic]][int(words.subjects[number])]


def tags(words: Words, number: int, topic: int) -> list[str]:
    """The tags of post `number`: what it is about, and in which mood."""
    return [subject(words, number, topic), *(MOODS[mood] for mood in words.moods[number])]


def beginning(text: str) -> str:
    """The first words of a text, at most 40 characters, which stand for its title.

    >>> beginning("Still thinking about the puppy. So wonderful, so unexpected.")
    'Still thinking about the puppy. So…'
    """
    if len(text) <= _TITLE:
        return text
    return text[: text.rindex(" ", 0, _TITLE)] + "…"
