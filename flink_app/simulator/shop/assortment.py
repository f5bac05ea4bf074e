"""The items of the simulated shop: latent vectors, popularity with a long tail, new arrivals.

In: a seeded generator and the number of items to add. Out: arrays over items, and shelves: the
items that a browsing user sees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.shelves import Shelves
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.wording import Wording
from flink_app.simulator.truth import FACTORS, unit, zipf_weights

_SPREAD = 0.6
_QUALITY = 0.3


class Catalogue:
    """All items so far; item n is row n of each array and belongs to category n mod 12.

    centres: (12, FACTORS) float32, orthonormal, one direction of taste per category.
    vectors: (items, FACTORS) float32, unit rows near the centre of their category.
    appeal: (items,) float32, −0.15 to 0.15: the part of affinity that all users share, larger for
        popular items.
    popularity: (items,) float64, above 0, not normalised: how often an item is on a shelf.
    available: (items,) bool: in stock; what is not is on no shelf.
    wording: the words of the items, drawn with a generator of its own.
    """

    def __init__(self, rng: np.random.Generator, items: int, exponent: float) -> None:
        self._rng = rng
        self._exponent = exponent
        self._ranks = items
        axes, _ = np.linalg.qr(rng.standard_normal((FACTORS, FACTORS)))
        self.centres: NDArray[np.float32] = axes[: len(CATEGORIES)].astype(np.float32)
        self.vectors: NDArray[np.float32] = np.empty((0, FACTORS), np.float32)
        self.appeal: NDArray[np.float32] = np.empty(0, np.float32)
        self.popularity: NDArray[np.float64] = np.empty(0, np.float64)
        self.available: NDArray[np.bool_] = np.empty(0, np.bool_)
        self.wording = Wording(rng.spawn(1)[0], self.centres)
        self._add(rng.permutation(items))

    def __len__(self) -> int:
        return len(self.popularity)

    def grow(self, count: int) -> None:
        """Add `count` (at least 0) items, each as popular as a random one of the initial items."""
        if count:
            self._add(self._rng.integers(0, self._ranks, count))

    def restock(self, items: NDArray[np.int64]) -> None:
        """Put the given (different) items in stock, or out of it if they are in it."""
        if len(items):
            available = self.available.copy()  # another thread may be reading it
            available[items] ^= True
            self.available = available
            self._index()

    def _add(self, ranks: NDArray[np.int64]) -> None:
        """Append one item per popularity rank, (count,) integers from 0 for the most popular."""
        first, count = len(self), len(ranks)
        categories = np.arange(first, first + count) % len(CATEGORIES)
        noise = self._rng.standard_normal((count, FACTORS)) * (_SPREAD / FACTORS**0.5)
        vectors = unit((self.centres[categories] + noise).astype(np.float32))
        appeal = _QUALITY * (0.5 - ranks / self._ranks)
        self.vectors = np.concatenate([self.vectors, vectors])
        self.appeal = np.concatenate([self.appeal, appeal.astype(np.float32)])
        self.available = np.concatenate([self.available, np.ones(count, np.bool_)])
        self.wording.add(vectors)
        # The last one, because it says how many items there are; another thread may be reading.
        self.popularity = np.concatenate([self.popularity, zipf_weights(ranks, self._exponent)])
        self._index()

    def _index(self) -> None:
        categories = np.arange(len(self)) % len(CATEGORIES)
        self._shelves = Shelves(self.popularity * self.available, categories, len(CATEGORIES))

    def shelves(self, categories: NDArray[np.int64]) -> NDArray[np.int64]:
        """The items that each view chooses from, see `Shelves.draw`.

        categories: (views,) int64, 0 to 11, what the user is looking for; in a shop of fewer than
        12 items, an empty category shows the next item instead.
        """
        return self._shelves.draw(self._rng, categories)

    def affinity(
        self, tastes: NDArray[np.float32], items: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """True affinity a = taste · vector + appeal of each row's user for each row's items.

        tastes: (n, FACTORS) float32, unit rows. items: (n, k) item numbers. Returns (n, k)
        float32, −1.15 to 1.15.
        """
        scores = np.einsum("nkf,nf->nk", self.vectors[items], tastes)
        affinities: NDArray[np.float32] = scores + self.appeal[items]
        return affinities
