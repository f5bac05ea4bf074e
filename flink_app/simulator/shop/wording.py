"""The words that describe the simulated shop's items, and those that its users search for.

In: latent vectors of items and tastes. Out: numbers of words of `names`: each word has a direction
of taste, and an item has the words whose directions are nearest to what sets it apart within its
category. So what is described alike suits the same users.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.shop.names import CATEGORIES, LOOKS, MAKERS, NOUNS, NOUNS_EACH, TRAITS
from flink_app.simulator.truth import FACTORS, unit

TRAITS_EACH = 3
"""Traits of each item."""

_SURE = 8.0  # inverse temperature of the choice of the words that are searched for
_NAMES = NOUNS_EACH * len(LOOKS)  # of a category


class Words(NamedTuple):
    """The words of n items: nouns, looks int64[n], traits int64[n, TRAITS_EACH], and how many
    earlier items have the same noun and look, turns int64[n]."""

    nouns: NDArray[np.int64]
    looks: NDArray[np.int64]
    traits: NDArray[np.int64]
    turns: NDArray[np.int64]


class Wording:
    """The directions of all words, and the words of all items so far.

    centres: (12, FACTORS) float32, orthonormal, the directions of the categories.
    """

    def __init__(self, rng: np.random.Generator, centres: NDArray[np.float32]) -> None:
        self._centres = centres
        first = len(CATEGORIES) * NOUNS_EACH
        count = first + len(LOOKS) + len(TRAITS) + 1
        rows = unit(rng.standard_normal((count, FACTORS)).astype(np.float32))
        nouns, rest = np.split(rows, [first])
        self._nouns = nouns.reshape(len(CATEGORIES), NOUNS_EACH, FACTORS)
        self._looks, self._traits, self._dear = np.split(rest, [len(LOOKS), len(rest) - 1])
        self._used = np.zeros(len(CATEGORIES) * _NAMES, np.int64)
        none = np.empty(0, np.int64)
        self.words = Words(none, none, np.empty((0, TRAITS_EACH), np.int64), none)
        self.dearness: NDArray[np.float32] = np.empty(0, np.float32)
        """How dear each item is for its category, float32, about −0.5 to 0.5."""

    def add(self, vectors: NDArray[np.float32]) -> None:
        """Choose the words of the next items, whose vectors are (n, FACTORS) float32."""
        first = len(self.dearness)
        kinds = np.arange(first, first + len(vectors)) % len(CATEGORIES)
        own = vectors - self._centres[kinds]
        nouns = np.argmax(np.einsum("nf,nkf->nk", own, self._nouns[kinds]), axis=1)
        looks = np.argmax(own @ self._looks.T, axis=1)
        traits = np.argsort(own @ -self._traits.T, axis=1, kind="stable")[:, :TRAITS_EACH]
        turns = self._turns((kinds * NOUNS_EACH + nouns) * len(LOOKS) + looks)
        found = Words(nouns, looks, traits, turns)
        pairs = zip(self.words, found, strict=True)
        self.words = Words(*(np.concatenate(pair) for pair in pairs))
        self.dearness = np.concatenate([self.dearness, own @ self._dear[0]])

    def _turns(self, names: NDArray[np.int64]) -> NDArray[np.int64]:
        """How often each name, int64[n], has occurred before it, int64[n]."""
        order = np.argsort(names, kind="stable")
        ordered = names[order]
        first = np.searchsorted(ordered, ordered)
        turns = np.empty(len(names), np.int64)
        turns[order] = np.arange(len(names)) - first + self._used[ordered]
        np.add.at(self._used, names, 1)
        return turns

    def title(self, number: int) -> str:
        """The product name of an item so far; no two items share one."""
        kind, noun, look = self._named(number)
        series = int(self.words.turns[number]) // len(MAKERS)
        name = f"{self.maker(number)} {LOOKS[look]} {NOUNS[CATEGORIES[kind]][noun]}"
        return f"{name} {series + 1}" if series else name

    def maker(self, number: int) -> str:
        """Who makes an item so far."""
        kind, noun, look = self._named(number)
        turn = int(self.words.turns[number])
        return MAKERS[(kind * 5 + noun * 3 + look * 7 + turn) % len(MAKERS)]

    def _named(self, number: int) -> tuple[int, int, int]:
        words = self.words
        return number % len(CATEGORIES), int(words.nouns[number]), int(words.looks[number])

    def queries(
        self, rng: np.random.Generator, kinds: NDArray[np.int64], tastes: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """What users search for, who look for something of a category: numbers for `query`.

        The noun and the look are drawn with P(word) ∝ exp(8 own · direction), own being the taste
        without its part along the category.

        kinds: (n,) int64, categories. tastes: (n, FACTORS) float32. Returns (n,) int64.
        """
        centres = self._centres[kinds]
        own = tastes - np.einsum("nf,nf->n", tastes, centres)[:, None] * centres
        nouns = np.einsum("nf,nkf->nk", own, self._nouns[kinds])
        looks = own @ self._looks.T
        chosen = [
            np.argmax(_SURE * likes + rng.gumbel(size=likes.shape), axis=1)
            for likes in (nouns, looks)
        ]
        codes: NDArray[np.int64] = (kinds * NOUNS_EACH + chosen[0]) * len(LOOKS) + chosen[1]
        return codes


def query(code: int) -> str:
    """The words of a query by its number.

    >>> query(0), query(12 * 10 * 20 - 1)
    ('amber kettle', 'willow brush')
    """
    place, look = divmod(code, len(LOOKS))
    kind, noun = divmod(place, NOUNS_EACH)
    return f"{LOOKS[look]} {NOUNS[CATEGORIES[kind]][noun]}".lower()
