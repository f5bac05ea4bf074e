"""User-based collaborative filtering: who else chose a user's items, and what they chose besides.

In: consumptions in order, the history pages of `Users`. Out: amounts by item for the ranker (see
`udfs.ranking.candidate_kernels`). Kept only in the user learner's memory and filled as events
arrive, not in state. The neighbours of a user are users of the same subtask.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory.columns import Table, column
from udfs.models.options import UserCF

# The constants of similarity and scores (`consumer_kernels`): chosen on the first half of
# MovieLens-100K by recall@10, one set for ratings of 5 and all ratings (docs/models.md). No data
# set is known where others work better; how many consumers of an item are remembered is an option.
RECENT = 10
"""The last items by which users are compared; the k-th newest counts 1/k."""
NEIGHBOURS = 50
"""The most similar users who are asked, of up to RECENT times `consumers`. 100 make somewhat better
lists (docs/models.md) and take half as long again."""
ITEMS = 1500
"""How many of their items are added, and a few more: it bounds the time of a list where users have
long histories; in sessions all 50 are asked."""
DEPTH = 96
"""In how many of a user's last items the anchor is looked for: three pages."""
REACH = 20
"""How far from the anchor items count."""
BEFORE = 0.7
"""What an item before the anchor counts, compared with one as far after it."""
SHRINK = 4.0
"""Added to each item's number of consumers, so that sharing one rare item counts little."""
ACTIVITY_SHRINK = 10.0
"""Added to each neighbour's number of events, so that users with a single event do not count
most."""
POWER = 0.5
"""The power of both sums: the cosine's ½."""


class Consumers(Table):
    """The last consumers of every catalogue slot: a table to attach to the catalogue.

    Attributes:
        who, serial: int32[I, R], int64[I, R], the cache slot of a consumer and the `Users.serials`
            it had then: a user who has left the cache since, or whose slot another user has, is
            skipped.
        counts: int64[I], consumptions recorded in all; the newest is at (counts − 1) mod R.
        position: float64[H], the weights of the last H items of a user.
        around: float32[2D + 1], the weights of what stands D, …, 1, 0, −1, …, −D places after the
            anchor.
    """

    who = column(np.int32, ("R",))
    serial = column(np.int64, ("R",))
    counts = column(np.int64)

    def __init__(self, settings: UserCF | None = None) -> None:
        self.settings = s = settings or UserCF()
        super().__init__(R=s.consumers)
        self.position = 1 / np.arange(1.0, RECENT + 1)
        after = 1 / np.arange(1, REACH + 2)
        self.around = np.concatenate([after[::-1], BEFORE * after[1:]]).astype(np.float32)

    def forget(self, items: NDArray[np.int32], serial: int) -> None:
        """Forget that a user, by the serial number, consumed items: int32[n]."""
        known = items[(items >= 0) & (items < len(self.serial))]
        own = self.serial[known]
        self.serial[known] = np.where(own == serial, -1, own)
