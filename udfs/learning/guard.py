"""Decides from which events is learned: not from those of bots, and of crowds for a single item.

In: the events of a batch as slots, the `Votes` of the shard. Out: which of them are only served.
docs/privacy.md explains the rules; the loop is `udfs.learning.guard_kernels.judge`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.learning import guard_kernels
from udfs.learning.guard_kernels import TOTALS, Taken, Watched
from udfs.learning.votes import RECORD, VERSION, Votes
from udfs.memory.catalogue import Catalogue
from udfs.memory.columns import Table, column
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users

_KEPT = ("rate", "breadth", "gaps", "mean", "square", "at", "until", "bins")


class Verdict(NamedTuple):
    """What was decided of n events: bool[n], those that are only served; how many users count as
    bots, and as part of a crowd, from now on."""

    held: NDArray[np.bool_]
    bots: int
    crowd: int


class _Watched(Table):
    """See `Watched`; `serial`: of the user that was loaded."""

    rate = column(np.float32)
    breadth = column(np.float32)
    gaps = column(np.float32)
    mean = column(np.float32)
    square = column(np.float32)
    at = column(np.int64)
    until = column(np.int64)
    bins = column(np.int8, (3,), fill=-1)
    turn = column(np.int64)
    ahead = column(np.int32)
    held = column(np.int64)
    serial = column(np.int64)


class _Taken(Table):
    """See `Taken`."""

    young = column(np.float64)
    grown = column(np.float64)
    at = column(np.float64)


class Guard:
    """The guard of one subtask. What it knows of items is in memory only: after a restart it is
    learned again, as at the start of a job."""

    def __init__(self, users: Users, catalogue: Catalogue) -> None:
        self._users = users
        self._watched, self._taken = users.attach(_Watched()), catalogue.attach(_Taken())
        self._totals, self._number = np.zeros(TOTALS), 0
        self._judge = Direct(guard_kernels.judge)

    def judge(
        self, batch: Batch, ts: NDArray[np.int64], slots: NDArray[np.int32], votes: Votes
    ) -> Verdict:
        """Judge n events before they are learned, and write what is known of their users.

        Args:
            ts: int64[n], ms. slots: int32[k], the distinct users of the batch.
        """
        self._load(slots, votes)
        w, t, held = self._watched, self._taken, np.zeros(len(ts), np.bool_)
        self._number += 1
        watched = Watched(*(getattr(w, name) for name in Watched._fields))
        taken = Taken(t.young, t.grown, t.at)
        given = batch, ts, self._users.view, watched, taken, self._totals, votes.counts
        _, bots, crowd = self._judge(*given, self._number, held, varying=(ts, *batch))
        records = np.zeros(len(slots), RECORD)
        records["version"] = VERSION
        for name in _KEPT:
            records[name] = getattr(w, name)[slots]
        names = self._users.names
        votes.put([names[slot] for slot in slots.tolist()], records)
        return Verdict(held, bots, crowd)

    def doubted(self, slots: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which users of the last batch (int32[n]) were ever held back, bool[n]."""
        found: NDArray[np.bool_] = self._watched.until[slots] > 0
        return found

    def _load(self, slots: NDArray[np.int32], votes: Votes) -> None:
        """Take what the state knows of users that were not in memory."""
        w, users = self._watched, self._users
        fresh = slots[w.serial[slots] != users.serials[slots]]
        if not len(fresh):
            return
        w.serial[fresh] = users.serials[fresh]
        for slot in fresh[users.seen[fresh] > 0].tolist():
            if (record := votes.record(users.names[slot])) is not None:
                for name in _KEPT:
                    getattr(w, name)[slot] = np.nan_to_num(record[name])
