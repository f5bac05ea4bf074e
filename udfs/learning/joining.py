"""The joining of one batch to lists, in step with its learning.

In: the parts of a batch as they are learned. Out: the same parts, with what each event teaches the
ranker; what became of lists is counted by `udfs.learning.attribution`.
"""

from __future__ import annotations

import numpy as np

from udfs.events.batch import EventBatch
from udfs.learning.attribution import Attribution
from udfs.learning.user_shard import UserShard


class Joining:
    """See the module: in strict mode a list may be written between two events of a batch, and the
    second may be on it."""

    def __init__(self, attribution: Attribution, shard: UserShard, batch: EventBatch) -> None:
        self._attribution, self._shard, self._batch = attribution, shard, batch
        self._rows, self._taken, self._learned = np.flatnonzero(~batch.seen), 0, 0

    def upto(self, part: EventBatch) -> EventBatch:
        """Join the next events that are learned, and what was seen before each of them; returns
        them with what each teaches the ranker, if that is not the same for all."""
        if not len(part):
            return part
        rows = self._rows[self._learned : self._learned + len(part)]
        self._learned += len(part)
        begin = self._taken
        places = self._take(int(rows[-1]) + 1)
        return self._attribution.weighed(part, [places.get(row - begin) for row in rows.tolist()])

    def rest(self) -> None:
        """Join what was seen after the last event that is learned."""
        self._take(len(self._batch))

    def _take(self, end: int) -> dict[int, int]:
        if end <= self._taken:
            return {}
        part = self._batch.take(np.arange(self._taken, end))
        self._taken = end
        return self._attribution.take(self._shard, part)
