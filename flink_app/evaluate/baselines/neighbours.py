"""Neighbours by counted cosines, of items and of users. Two of `flink_app.evaluate.baselines`.

In: positive events; a pair of user and item counts once. Out: scores, float64[I].
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, History, Shape
from flink_app.evaluate.baselines.kernels import count_pairs, item_scores, user_scores
from udfs.errors import ConfigError

MOST_ITEMS = 16_384
"""Items of which `ItemKnn` counts all pairs: 1 GiB of counts."""

_TIE = 1e-9  # far below any cosine: popularity decides between equal scores only


class ItemKnn(Baseline):
    """score(i) = Σ cos(i, j) over the last h items j of the user, cos(i, j) = nᵢⱼ / √(nᵢ nⱼ).

    nᵢⱼ users took both items, nᵢ users the one. Equal scores are in order of popularity.

    Sarwar et al.: Item-Based Collaborative Filtering Recommendation Algorithms (2001), counted
    incrementally as in Huang et al.: TencentRec (2015).

    h = 10 is the best of 5, 10, 20, 50, 100 and all for ratings of 5 and for all ratings, by
    `python -m benchmarks.tune`.

    Args:
        recent: h, ≥ 1.

    Raises:
        ConfigError: more items than pairs can be held of.
    """

    name: ClassVar[str] = "item-knn"

    def __init__(self, shape: Shape, seed: int = 1, *, recent: int = 10) -> None:
        if shape.items > MOST_ITEMS:
            raise ConfigError(
                f"--baseline {self.name} counts every pair of items, and of {shape.items:,} items "
                f"they are too many: leave it out, or evaluate at most {MOST_ITEMS:,} items"
            )
        self._history = History(shape)
        self._pairs = np.zeros((shape.items, shape.items), np.int32)
        self._recent = recent

    def learn(self, user: int, item: int, value: float) -> None:
        """Count the item, and with each that the user took before."""
        old = self._history
        if (user, item) not in old:
            count_pairs(user, item, old.last_of_user, old.older_of_user, old.what, self._pairs)
            old.add(user, item)

    def follow(self, user: int, item: int) -> None:
        """Go on in the user's history."""
        _, fresh = self._history.add(user, item)
        self._history.of_item[item] -= fresh

    def scores(self, user: int) -> NDArray[np.float64]:
        """The sums of cosines."""
        old = self._history
        out = old.of_item * _TIE
        chain = old.last_of_user, old.older_of_user, old.what
        item_scores(user, *chain, self._pairs, old.of_item, self._recent, out)
        return out


class UserKnn(Baseline):
    """score(i) = Σ cos(u, v) over the k nearest users v who took i, cos(u, v) = nᵤᵥ / √(nᵤ nᵥ).

    nᵤᵥ items were taken by both users, nᵤ by the one. Equal scores are in order of popularity.

    Papagelis et al.: Incremental Collaborative Filtering for Highly-Scalable Recommendation
    Algorithms (2005), with the cosine of sets.

    k = 50 is the best of 20, 50, 100, 200 and all for ratings of 5 and for all ratings, by
    `python -m benchmarks.tune`.

    Args:
        neighbours: k, ≥ 1.
    """

    name: ClassVar[str] = "user-knn"

    def __init__(self, shape: Shape, seed: int = 1, *, neighbours: int = 50) -> None:
        self._history = History(shape)
        self._neighbours = neighbours

    def learn(self, user: int, item: int, value: float) -> None:
        """Note the pair: cosines are counted when a list is made."""
        self._history.add(user, item)

    def scores(self, user: int) -> NDArray[np.float64]:
        """The sums of cosines."""
        old = self._history
        out = old.of_item * _TIE
        user_scores(user, old.links, old.of_user, self._neighbours, out)
        return out
