"""Events that arrive twice, by their `id`, within a window of wall-clock time.

In: the ids of a batch. Out: which events are new. Ids are remembered as 64-bit hashes, in memory
and in the shard's rows of state, so a restart forgets none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.state import Rows, TimeLog

_SIZE = 8


class Duplicates:
    """The ids of one shard.

    Args:
        window_ms: how long an id is remembered at least. limit: ids remembered at most; beyond it
            the oldest eighth is forgotten.
    """

    def __init__(self, rows: Rows, window_ms: int, limit: int) -> None:
        self._log = TimeLog(rows, window_ms)
        self._limit = limit
        self._seen: dict[int, set[bytes]] = {start: set() for start in self._log.buckets}
        for start, _, chunk in self._log.chunks():
            self._seen[start].update(chunk[at : at + _SIZE] for at in range(0, len(chunk), _SIZE))

    def __len__(self) -> int:
        return sum(map(len, self._seen.values()))

    def keep(self, ids: Sequence[str], now_ms: int) -> NDArray[np.bool_] | None:
        """Which events are new, bool[n]; None when all are. "" is no id and always new."""
        if not any(ids):
            return None
        self._forget(now_ms)
        current = self._seen.get(self._log.current, set())
        bucket = self._log.begin(now_ms, full=len(current) >= self._limit // 8)
        current = self._seen.setdefault(bucket, set())
        older = [seen for start, seen in self._seen.items() if start != bucket]
        keep, fresh = [], []
        for id_ in ids:
            if not id_:
                keep.append(True)
                continue
            digest = hashlib.blake2b(id_.encode(), digest_size=_SIZE).digest()
            new = digest not in current and not any(digest in seen for seen in older)
            keep.append(new)
            if new:
                current.add(digest)
                fresh.append(digest)
        if fresh:
            self._log.append(bucket, b"".join(fresh))
        return None if all(keep) else np.array(keep, np.bool_)

    def _forget(self, now_ms: int) -> None:
        for start in self._log.expired(now_ms):
            self._drop(start)
        while len(self._seen) > 1 and len(self) > self._limit:
            self._drop(next(iter(self._seen)))

    def _drop(self, start: int) -> None:
        self._log.drop(start)
        self._seen.pop(start, None)
