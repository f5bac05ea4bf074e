"""The source `sequence`: what fits a user's last items, by a network of a team's own.

In: users at a moment, the file of `sequence.model`. Out: candidates, and what the ranker's feature
reads. The network is asked once for all users of a moment; where it fails, or rests because it is
slow, it says nothing and lists are made without it. Nothing is learned here, so nothing is kept in
state.

The cost of a list is that of the network, and V · d multiplications for the products with all V
items of the model's vocabulary, which is exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.models.factors.search import logistic
from udfs.models.model import Model, Moment, Shop
from udfs.models.own.file import OwnFile
from udfs.models.ranked import Ranked, no_lists
from udfs.models.sequence import near_kernels
from udfs.models.sequence.network import OPTION, SequenceNetwork
from udfs.models.sequence.vocabulary import Vocabulary
from udfs.options.sequence import Sequence

NAME = "sequence"
_CELLS = 2_000_000  # products held at once: 8 MB


class SequenceModel(Model):
    """See the module.

    Attributes:
        file: the model, as of now. vocabulary: where its items are in the catalogue.

    Raises:
        ConfigError: the file cannot be used.
    """

    def __init__(self, shop: Shop, options: Sequence | None = None) -> None:
        super().__init__(shop, options)
        assert options is not None, "it is there only where a model is named"
        strict = shop.settings.job.strict
        self.file = OwnFile(NAME, OPTION, options.model, SequenceNetwork, patient=strict)
        self.vocabulary = Vocabulary()
        self.tables = (self.vocabulary,)

    def wanted(self, moment: Moment) -> NDArray[np.float32]:
        """What each user wants, float32[n, d], all 0 for those of whom the model says nothing."""
        found: NDArray[np.float32] = moment.once("what sequences want", self._ask, moment.slots)
        return found

    def _ask(self, users: NDArray[np.int32]) -> NDArray[np.float32]:
        network, shop = self.file.model, self.shop
        self.vocabulary.follow(network, shop.catalogue)
        items = np.empty((len(users), network.length), np.int64)
        near_kernels.last_rows(users, shop.users.view, self.vocabulary.row, items)
        vectors = np.zeros((len(users), network.vectors.shape[1]), np.float32)
        known = np.flatnonzero(items[:, -1])
        if len(known):
            found = self.file.ask(len(known), lambda model: model.run(items[known]))
            if found is not None:
                vectors[known] = found
        return vectors

    def candidates(self, moment: Moment) -> Ranked:
        """The items with the largest σ(x_j · v) of all that the model knows."""
        items, products = self._best(moment)
        return items, logistic(products)

    def named(self, moment: Moment) -> NDArray[np.int32]:
        """The same without their scores."""
        return self._best(moment)[0]

    def _best(self, moment: Moment) -> Ranked:
        found: Ranked = moment.once("best by sequences", self._search, moment)
        return found

    def _search(self, moment: Moment) -> Ranked:
        shop, lists = self.shop, self.shop.settings.lists
        wanted, vectors = self.wanted(moment), self.file.model.vectors
        items, scores = no_lists(len(moment.slots), lists.length)
        some = np.flatnonzero(wanted.any(axis=1))
        many = max(1, _CELLS // len(vectors))
        for begin in range(0, max(len(some), 1), many):  # also if none: it is compiled then
            part = some[begin : begin + many]
            found = no_lists(len(part), lists.length)
            near_kernels.nearest(
                wanted[part] @ vectors.T,
                self.vocabulary.slot,
                moment.slots[part],
                shop.catalogue.shown,
                lists.exclude_consumed,
                shop.users.view,
                *found,
            )
            items[part], scores[part] = found
        return items, scores


def sequence_of(sources: dict[str, Model]) -> SequenceModel:
    """The source, among all by name."""
    found: Any = sources[NAME]
    assert isinstance(found, SequenceModel)
    return found
