"""The approximate search of a large catalogue: items in clusters, the best of which are searched.

In: the slots whose factors have changed, vectors of users. Out: lists as in
`udfs.models.factors.search`. It is an inverted file (Jégou, Douze, Schmid 2011) for inner products
whose clusters follow the items: nothing is rebuilt; a full cluster is split. It is kept only in
memory, next to the catalogue.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.memory import cluster_kernels, probe_kernels
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import PAGE, History
from udfs.memory.probe_kernels import Marks, Stock, Wanted

AUTOMATIC = 20_000
"""The number of items from which on a catalogue is searched by cluster, unless configured."""
PROBES = 32
"""The maximum number of clusters searched for a list."""
_RENEWED = 10
_AT_ONCE = 256  # items placed in one call: each could split a cluster


class _Groups(Table):
    """The columns of clusters, see `cluster_kernels.Clusters`; D = d + 1."""

    centres = column(np.float32, ("D",))
    lengths = column(np.float32)
    radius = column(np.float32)
    members = column(np.int32, ("M",))
    counts = column(np.int32)
    changes = column(np.int32)


class _Places(Table):
    """The columns of catalogue slots: where each item is. A dead item keeps its place, so the
    table is not attached to the catalogue."""

    of = column(np.int32, fill=-1)
    at = column(np.int32)
    distance = column(np.float32)
    codes = column(np.int8, ("d",))
    scales = column(np.float32, (2,))


class ClusterIndex:
    """Clusters of at most √I items, for a catalogue with room for I.

    Work for a list: C products to find the clusters, at most `PROBES`·√I to search them, and
    C ≤ 3·√I or so; for an item placed again C products, for one that has hardly moved 1 or 2.
    """

    def __init__(self, dimensions: int) -> None:
        self._changed = self._next = 0
        self._marks: list[Marks] = []  # of finished searches
        self._groups, self._places = _Groups(0, D=dimensions + 1, M=0), _Places(0, d=dimensions)
        self._used = np.ones(1, np.int64)
        self.arrays = self._view()

    def _view(self) -> cluster_kernels.Clusters:
        g, p = self._groups, self._places
        return cluster_kernels.Clusters(
            g.centres,
            g.lengths,
            g.radius,
            g.members,
            g.counts,
            g.changes,
            p.of,
            p.at,
            p.distance,
            p.codes,
            p.scales,
            self._used,
        )

    def place(
        self, slots: NDArray[np.int32], q: NDArray[np.float32], bias: NDArray[np.float32]
    ) -> None:
        """Add new items, and move those whose factors have changed; see the kernel.

        Clusters whose items all moved in the same direction would never separate. So clusters are
        dissolved in turn, each once in the time in which all items change `_RENEWED` times on
        average.
        """
        for begin in range(0, len(slots), _AT_ONCE):
            self._reserve(len(bias))
            part = slots[begin : begin + _AT_ONCE]
            cluster_kernels.place(part, q, bias, self.arrays)
            self._changed += len(part)
            if self._changed > 0:
                self._renew(q, bias)

    def _renew(self, q: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Dissolve the next cluster."""
        a = self.arrays
        if (used := int(a.used[0])) > 1:
            self._next = (self._next + 1) % used
            slots = np.empty(a.members.shape[1], np.int32)
            slots = slots[: cluster_kernels.dissolve(self._next, a, slots)]
            self._changed -= _RENEWED * max(len(slots), 1)
            self.place(slots, q, bias)

    def _reserve(self, items: int) -> None:
        groups, places = self._groups, self._places
        full = int(self._used[0]) + _AT_ONCE > groups.room
        if full:
            groups.reserve(2 * groups.room + _AT_ONCE + 1)
        if items > places.room:
            places.reserve(items)
            groups.reserve(groups.room, M=max(32, int(items**0.5)))
        elif not full:
            return
        self.arrays = self._view()

    def search(
        self,
        vectors: NDArray[np.float32],
        stock: Stock,
        items: NDArray[np.int32],
        scores: NDArray[np.float32],
        users: NDArray[np.int32] | None = None,
        history: History | None = None,
        *,
        cosine: bool = False,
    ) -> None:
        """Set `items` and `scores` (int32[n, N], float32[n, N]) to the best items found, by
        b_i + q_i·v or by the cosine of q_i and v. Several threads may search at once.

        Args:
            vectors: float32[n, d], for `cosine` of length 1. stock: the items.
            users, history: the users whose consumed items are left out, if any: int32[n], cache
                slots.
        """
        a, used = self.arrays, int(self.arrays.used[0])
        centres = a.centres[:used]
        factors = centres[:, :-1]
        if cosine:
            lengths = np.linalg.norm(factors, axis=1)
            near = vectors @ (factors / np.maximum(lengths, np.float32(1e-12))[:, None]).T
            reach = np.full_like(near, np.inf)
        else:
            near = vectors @ factors.T + centres[:, -1]
            # How far a member at the mean distance can be in the direction of the user.
            lengths = np.sqrt(np.square(vectors).sum(axis=1) + 1)
            reach = np.outer(lengths, np.sqrt(a.radius[:used]))
        nobody = users is None or history is None
        wanted = Wanted(_NOBODY if nobody else users, vectors, near, reach, cosine)
        marks = self._unused_marks(len(stock.alive))
        probe_kernels.probe(wanted, stock, a, PROBES, marks, history or _NO_HISTORY, items, scores)
        self._marks.append(marks._replace(call=marks.call + len(vectors)))

    def _unused_marks(self, room: int) -> Marks:
        """Memory that no other thread is using, and a number above all values in it."""
        try:
            marks = self._marks.pop()
        except IndexError:
            return Marks(np.zeros(room, np.int64), 1)
        return marks if len(marks.eaten) >= room else Marks(np.zeros(room, np.int64), 1)


_NOBODY = np.zeros(0, np.int32)
_NO_PAGES, _NO_BITS = np.zeros((0, PAGE), np.int32), np.zeros(0, np.uint32)
_NO_NUMBERS = np.zeros(0, np.int64)
_NO_HISTORY = History(_NOBODY, _NOBODY, _NOBODY, _NO_PAGES, _NO_BITS, _NO_NUMBERS, _NO_NUMBERS)
