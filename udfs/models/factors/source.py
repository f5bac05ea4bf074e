"""The source `mf`: what fits a user's taste and last items, by learned factors.

In: users at a moment. Out: the items with the largest products, and items like others. The factors
are columns of the catalogue and of the users, learned by `softmax_kernels` or `rating_kernels`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.vector_kernels import LIMIT
from udfs.models.factors.arrays import Places, Rule
from udfs.models.factors.naming_kernels import Fitting
from udfs.models.factors.search import best_by_factors, exact_stock, logistic, user_vectors
from udfs.models.factors.search_kernels import Taste
from udfs.models.model import Model, Moment, Shop
from udfs.models.ranked import Ranked


class Factors(Model):
    """See the module.

    Attributes:
        rule: how far an event moves factors, with what the last L items of a user are multiplied
            by, `rule.places`.
    """

    lasting = True

    def __init__(self, shop: Shop, options: Any = None) -> None:
        super().__init__(shop, options)
        s = shop.settings.model
        first = np.exp(-np.arange(s.window) / s.window_decay).astype(np.float32)
        weights = np.repeat(first[:, None], s.dimensions, axis=1)
        scale = np.append(0.0, 1 / np.sqrt(np.cumsum(first))).astype(np.float32)
        self._first = weights.astype(np.float64)
        self.rule = Rule(
            np.float32(s.learning_rate),
            np.float32(s.regularisation),
            Places(weights, np.zeros_like(weights), scale, np.float32(s.loss == "softmax")),
            not shop.settings.lists.exclude_consumed,
        )

    @property
    def parameters(self) -> NDArray[np.float64]:
        """How far the weights of the window's places have moved, and after them the sums of their
        squared gradients, float64[2Ld]; a copy."""
        places = self.rule.places
        return np.concatenate([(places.weights - self._first).ravel(), places.squares.ravel()])

    def put(self, parameters: NDArray[np.float64]) -> None:
        """Set `parameters`; those of another window or number of factors change nothing."""
        places, size = self.rule.places, self._first.size
        if len(parameters) == 2 * size:
            moved, squares = np.nan_to_num(parameters, posinf=0.0, neginf=0.0).reshape(2, -1)
            moved, squares = (part.reshape(self._first.shape) for part in (moved, squares))
            places.weights[:] = (self._first + moved).clip(-LIMIT, LIMIT)
            places.squares[:] = squares.clip(min=0.0)

    def vectors(self, moment: Moment) -> NDArray[np.float32]:
        """What the factors of items are multiplied by, for each user: float32[n, d]."""
        shop = self.shop
        found: NDArray[np.float32] = moment.once(
            "vectors",
            lambda: user_vectors(shop.catalogue, shop.users, moment.slots, self.rule.places),
        )
        return found

    def candidates(self, moment: Moment) -> Ranked:
        """The items with the largest σ(b_i + q_i·v_u)."""
        items, products = self._best(moment)
        return items, logistic(products)

    def named(self, moment: Moment) -> NDArray[np.int32]:
        """The same without their scores."""
        return self._best(moment)[0]

    def naming(self, moment: Moment) -> Fitting:
        """The same, named by a kernel; a catalogue searched by cluster is searched beforehand."""
        shop, c, n = self.shop, self.shop.catalogue, len(moment.slots)
        best, known = moment.found("best by factors"), moment.found("vectors")
        if (found := best) is None and c.clusters is not None:
            best = found = self._best(moment)
            known = moment.found("vectors")
        if found is None:
            shape = n, shop.settings.lists.length
            found = np.empty(shape, np.int32), np.empty(shape, np.float32)
            moment.keep("best by factors", found)
        items, products = found
        if (vectors := known) is None:
            vectors = np.empty((n, c.dimensions), np.float32)
            moment.keep("vectors", vectors)
        taste = self._taste(vectors, known is not None)
        return Fitting(taste, exact_stock(c), items, products, best is not None)

    def _taste(self, vectors: NDArray[np.float32], known: bool) -> Taste:
        c, places = self.shop.catalogue, self.rule.places
        return Taste(self.shop.users.p, c.q, c.y, c.alive, places, c.axis, vectors, known)

    def _best(self, moment: Moment) -> Ranked:
        found: tuple[NDArray[np.int32], NDArray[np.float32]] = moment.once(
            "best by factors", self._search, moment
        )
        return found

    def _search(self, moment: Moment) -> Ranked:
        shop, s, users = self.shop, self.shop.settings.lists, self.shop.users
        known, c = moment.found("vectors"), shop.catalogue
        vectors = (
            np.empty((len(moment.slots), c.dimensions), np.float32) if known is None else known
        )
        taste = self._taste(vectors, known is not None)
        found = best_by_factors(
            c, users, moment.slots, taste, s.length, s.exclude_consumed, shop.threads
        )
        moment.once("vectors", lambda: vectors)
        return found
