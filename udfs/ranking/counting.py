"""Counts of a batch: what is taken together, who took what, and what other sources count.

In: the events of a batch as slots. Out: the models' tables, changed; the events with their windows
for the item learners, gathered until they are taken.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.memory.history_kernels import Batch
from udfs.models.item_cf.arrays import Windows
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.model import Events, Model, Shop
from udfs.models.user_cf.consumers import Consumers
from udfs.ranking import count_kernels
from udfs.ranking.count_kernels import Gathered, Tables
from udfs.threads import nothing


class Counting:
    """See the module.

    Args:
        others: sources that count by themselves.
    """

    def __init__(
        self, shop: Shop, neighbours: Neighbours, consumers: Consumers, others: Sequence[Model]
    ) -> None:
        self._shop, self._neighbours, self._consumers = shop, neighbours, consumers
        self._others = others
        self._take = Direct(count_kernels.take)
        self._made, self._log_gain = np.zeros(2, np.int64), np.zeros(1)
        none = np.zeros(0, np.int32)
        self._gathered = Gathered(Windows.room(0, 0), self._made, none, none, self._log_gain)
        self._tables: Tables | None = None

    def take(self, batch: Batch) -> Callable[[], object]:
        """Count n events, before these belong to the histories; the function returned waits until
        all is counted, since nothing else looks at the counts meanwhile."""
        neighbours, threads, n = self._neighbours, self._shop.threads, len(batch.users)
        gathered = self._room(n)
        events, pairs = self._made.tolist()
        beside = threads.many(n)
        history, reach = self._shop.users.view, neighbours.settings.window
        number, pace = neighbours.next_batch(), neighbours.pace
        tables = self._tables_now()
        m = self._take(batch, history, reach, tables, pace, number, gathered, not beside)
        if not beside:
            neighbours.counted(float(self._log_gain[0]), m)
        if not beside and not self._others:
            return nothing
        own = self._part(gathered.windows, events, pairs, m)
        waits = [each.count(Events(*batch, own)) for each in self._others]
        if beside:
            waits.append(threads.beside(lambda: neighbours.count(own, own.heads, own.others), n))

        def wait() -> None:
            for each in waits:
                each()

        return wait

    def gathered(self) -> Windows | None:
        """All windows since the last call; they are valid until the next batch is counted. None if
        there are none."""
        events, pairs = self._made.tolist()
        if not events:
            return None
        self._made[:] = 0
        return self._gathered.windows.first(events, events, pairs)

    @staticmethod
    def _part(windows: Windows, events: int, pairs: int, m: int) -> Windows:
        """The m windows after the first `events`, which have the first `pairs` pairs."""
        starts: NDArray[np.int32] = windows.starts[events : events + m + 1]
        ends = slice(pairs, int(starts[m]))
        own = slice(events, events + m)
        return Windows(
            m,
            windows.order[:m],
            windows.users[own],
            windows.heads[own],
            windows.gains[own],
            starts - np.int32(pairs) if pairs else starts,
            windows.others[ends],
            windows.distances[ends],
        )

    def _room(self, n: int) -> Gathered:
        """Memory for n events more."""
        g, reach = self._gathered, self._neighbours.settings.window
        events, pairs = self._made.tolist()
        users = len(self._shop.users.tail)
        if len(g.windows.heads) < events + n or len(g.windows.others) < pairs + n * reach:
            larger = Windows.room(2 * (events + n), 2 * (pairs + n * reach))
            kept = g.windows.first(events, events, pairs)
            for name in ("users", "heads", "gains", "starts", "others", "distances"):
                old = getattr(kept, name)
                getattr(larger, name)[: len(old)] = old
            rows = np.empty(len(larger.heads) + len(larger.others), np.int32)
            g = self._gathered = g._replace(windows=larger, rows=rows)
        if len(g.latest) < users:
            g = self._gathered = g._replace(latest=np.full(users, -1, np.int32))
        return g

    def _tables_now(self) -> Tables:
        n, c, tables = self._neighbours, self._consumers, self._tables
        if tables is None or tables.pairs.ids is not n.ids or tables.who is not c.who:
            tables = self._tables = Tables(n.table, n.stamp, c.who, c.serial, c.counts)
        return tables
