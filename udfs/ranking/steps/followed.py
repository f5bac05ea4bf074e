"""Places in lists for what those took whom a user follows.

In: lists as ranked. Out: the same lists, in which every fifth place, say, has an item of the source
`social`; and the names of those whom it comes from. Lists of users who follow nobody stay as they
are.
"""

from __future__ import annotations

from math import ceil

import numpy as np
from numpy.typing import NDArray

from udfs.models.ranked import Lists, Told
from udfs.models.social.source import Social, group_of
from udfs.options.social import Social as Options
from udfs.options.sources import position
from udfs.ranking.steps.own import Own


class Followed:
    """See the module.

    Args:
        length: of the lists that are shown, which may be the beginnings of longer ones.
    """

    def __init__(self, options: Options | None, social: Social, own: Own, length: int) -> None:
        self._options, self._social, self._own = options or Options(), social, own
        self._source, share = position("social"), self._options.share
        every = ceil(1 / share) if share else length + 1
        self._length, self._places = length, range(every - 1, length, every)

    def put(self, told: Told, slots: NDArray[np.int32]) -> Told:
        """The lists of the users in `slots` (int32[n]) with these items."""
        of = self._social.follows.of
        if not of or not self._places:
            return told
        put = told
        for row, slot in enumerate(slots.tolist()):
            if slot not in of:
                continue
            listed = set(told.items[row, : self._length].tolist())
            found = [*self._social.found(slot)]
            if not self._own.idle:
                items = np.array(found, np.int32)
                found = items[~self._own.has(slot, items)].tolist()
            chosen = [item for item in found if item not in listed]
            if chosen:
                if put is told:  # others may have the arrays, too
                    put = Told._make([array.copy() for array in told])
                self._put(put, row, chosen[: len(self._places)])
        return put

    def _put(self, told: Told, row: int, chosen: list[int]) -> None:
        """Give items their places in a list; what they push out is the end of it."""
        own = told.items[row].copy()
        order = np.flatnonzero((own >= 0) & ~np.isin(own, chosen)).tolist()
        for k, place in enumerate(self._places[: len(chosen)]):
            order.insert(place, -1 - k)
        del order[len(own) :]
        scores, models, reasons = (array[row].copy() for array in told[1:4])
        above = np.float32(1.0)
        for place, k in enumerate(order):
            told.items[row, place] = own[k] if k >= 0 else chosen[-1 - k]
            above = told.scores[row, place] = scores[k] if k >= 0 else above
            told.models[row, place] = models[k] if k >= 0 else self._source
            told.reasons[row, place] = reasons[k] if k >= 0 else -1

    def names(self, slots: NDArray[np.int32], lists: Lists) -> dict[int, dict[int, str]]:
        """Whom the user of a list follows who took what stands there: by row and place."""
        of, named = self._social.follows.of, dict[int, dict[int, str]]()
        if not of:
            return named
        for row, slot in enumerate(slots.tolist()):
            places = np.flatnonzero(lists.models[row] == self._source).tolist()
            if slot not in of or not places:
                continue
            found = self._social.found(slot)
            by = {
                k: found[item].name for k in places if (item := int(lists.items[row, k])) in found
            }
            if not self._options.name_users:
                by = {k: name for k, name in by.items() if group_of(name) is not None}
            if by:
                named[row] = by
        return named
