"""What a user has published stays out of the user's own lists, if `lists.exclude_own` says so.

In: ranked lists, a list's length longer than wanted; the providers of items, as their metadata
names them. Out: lists as long as wanted, without the items whose provider is the user. Such items
are also noted as consumed, so that nothing else fills the user's lists with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.metadata import PROVIDER
from udfs.models.model import Shop
from udfs.models.popular.source import Popular
from udfs.models.ranked import Told
from udfs.models.settings import Settings


class Own:
    """See the module.

    Args:
        settings: of the job. shop: of which the lists that are given come, see `rules.longer`.

    Attributes:
        idle: own items stay where they are.
    """

    def __init__(self, settings: Settings, shop: Shop, popular: Popular) -> None:
        self._shop, self._popular = shop, popular
        self.idle, self._spare = not settings.lists.exclude_own, settings.lists.length

    def has(self, slot: int, items: NDArray[np.integer[Any]]) -> NDArray[np.bool_]:
        """Which of these items (slots, −1: none, any shape) the user in a cache slot provides,
        under any of the user's ids; bool, the same shape. None, unless own items stay out."""
        users, metadata = self._shop.users, self._shop.catalogue.metadata
        if self.idle or slot < 0:
            return np.zeros(items.shape, np.bool_)
        name = users.names[slot]
        ids = (name, *users.others.get(name, ()))
        numbers = [n for one in ids if (n := metadata.number(PROVIDER + one)) >= 0]
        if not numbers:
            return np.zeros(items.shape, np.bool_)
        own: NDArray[np.bool_] = (items >= 0) & np.isin(metadata.groups[items, -1], numbers)
        return own

    def out(self, longer: Told, users: NDArray[np.int32]) -> Told:
        """The lists of the users in the cache slots `users` (int32[n]) without own items, as long
        as lists are without this option."""
        return longer if self.idle else self._without(longer, users, self._spare)

    def sweep(self, told: Told, users: NDArray[np.int32]) -> Told:
        """The same for lists of the right length, which become shorter: a rule may have put an own
        item back, at a place that it pins."""
        return told if self.idle else self._without(told, users, 0)

    def _without(self, told: Told, users: NDArray[np.int32], spare: int) -> Told:
        gone, consumed, tops = np.zeros(told.items.shape, np.bool_), told.consumed, self._tops()
        for row, slot in enumerate(users.tolist()):
            gone[row] = self.has(slot, told.items[row])
            if consumed.shape[1] and len(own := tops[self.has(slot, tops)]):
                consumed = consumed.copy() if consumed is told.consumed else consumed
                consumed[row] = _noted(own, consumed[row])
        if not gone.any() and not spare:
            return told._replace(consumed=consumed)
        order = np.argsort(gone, axis=1, kind="stable")[:, : told.items.shape[1] - spare]
        items = np.take_along_axis(told.items, order, 1)
        scores = np.take_along_axis(told.scores, order, 1)
        models = np.take_along_axis(told.models, order, 1)
        reasons = np.take_along_axis(told.reasons, order[:, :, None], 1)
        ended = np.take_along_axis(gone, order, 1)
        items[ended], scores[ended], reasons[ended] = -1, -np.inf, -1
        return Told(items, scores, models, reasons, consumed)

    def _tops(self) -> NDArray[np.int64]:
        """The items that may be among the popular ones: those that are, and the newest."""
        near = self._popular.known_near
        new = np.arange(len(near), self._shop.catalogue.size)
        return np.concatenate([np.flatnonzero(near), new])


def _noted(own: NDArray[np.int64], row: NDArray[np.int32]) -> NDArray[np.int32]:
    """Own items, and behind them what a user has consumed, int32[K], −1: nothing, in its order. Of
    own ones, no more than half of the row is taken from what was consumed.

    >>> _noted(np.array([7, 4, 9]), np.array([8, 4, 2, -1], np.int32)).tolist()
    [7, 4, 8, 2]
    """
    most = len(row)
    known = row[(row >= 0) & ~np.isin(row, own)]
    room = max(most - len(known), most // 2)
    noted = np.concatenate([own[:room], known])[:most]
    return np.pad(noted, (0, most - len(noted)), constant_values=-1).astype(np.int32)
