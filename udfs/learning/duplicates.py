"""Events that arrive twice, by their `id`, within a window of wall-clock time.

In: the ids of a batch. Out: which events are new. Ids are remembered in memory and, in chunks, in
the shard's rows of state, so a restart loses none; for a long id its hash is remembered, and for
one that names a user who was forgotten.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.state.handles import Rows
from udfs.state.time_log import TimeLog

_LONGEST = 40  # characters, a UUID fits; a longer id is remembered as 128 bits of BLAKE2b
_HIDDEN = "*"  # how the hash of an id begins that names a forgotten user
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


def _short(id_: str) -> str:
    return id_ if len(id_) <= _LONGEST else "#" + _hash(id_)


def _hide(id_: str) -> str:
    return _HIDDEN + _hash(id_)


def _hash(id_: str) -> str:
    return hashlib.blake2b(id_.encode(), digest_size=16).hexdigest()


class Duplicates:
    """The ids of one shard.

    Args:
        window_ms: the minimum time that an id is remembered. limit: the maximum number of ids
            remembered; beyond it the oldest eighth is forgotten.
    """

    def __init__(self, rows: Rows, window_ms: int, limit: int) -> None:
        self._log = TimeLog(rows, window_ms)
        self._limit = limit
        self._seen: set[str] = set()
        self._members: dict[int, list[str]] = {start: [] for start in self._log.buckets}
        for start, _, chunk in self._log.chunks():
            self._note(start, _decode(chunk))
        self._hidden = any(id_[:1] == _HIDDEN for id_ in self._seen)

    def __len__(self) -> int:
        return len(self._seen)

    def keep(self, ids: Sequence[str], now_ms: int) -> NDArray[np.bool_] | None:
        """Which events are new, bool[n]; None if all are. An event with the id "" is always new."""
        if not any(ids):
            return None
        self._forget(now_ms)
        newest = self._members.get(self._log.current, ())
        bucket = self._log.begin(now_ms, full=len(newest) >= self._limit // 8)
        self._members.setdefault(bucket, [])
        short = list(ids) if max(map(len, ids)) <= _LONGEST else list(map(_short, ids))
        if self._hidden:
            short = [hidden if (hidden := _hide(id_)) in self._seen else id_ for id_ in short]
        distinct = set(short)
        if len(distinct) == len(short) and "" not in distinct and self._seen.isdisjoint(distinct):
            # The usual case: all at once.
            keep, fresh = None, short
        else:
            keep, fresh = self._one_by_one(short)
        if fresh:
            self._note(bucket, fresh)
            self._log.append(bucket, _encode(fresh))
        return keep

    def forget(self, users: Iterable[str]) -> None:
        """Remember the ids in which a user's id stands as a word by their hashes."""
        raw = {user: user.encode() for user in users}
        for start, number, chunk in self._log.chunks():
            near = [user for user, own in raw.items() if own in chunk]
            if not near:
                continue
            names = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, near))})(?!\w)")
            ids = _decode(chunk)
            hidden = {id_: _hide(id_) for id_ in ids if names.search(id_)}
            if hidden:
                self._hidden = True
                self._log.replace(start, number, _encode([hidden.get(id_, id_) for id_ in ids]))
                own = self._members[start]
                own[:] = [hidden.get(id_, id_) for id_ in own]
                self._seen.difference_update(hidden)
                self._seen.update(hidden.values())

    def _one_by_one(self, ids: list[str]) -> tuple[NDArray[np.bool_] | None, list[str]]:
        """The result of `keep`, and the new ids."""
        keep, fresh = [], dict[str, None]()
        for id_ in ids:
            new = not id_ or (id_ not in self._seen and id_ not in fresh)
            keep.append(new)
            if new and id_:
                fresh[id_] = None
        return None if all(keep) else np.array(keep, np.bool_), list(fresh)

    def _note(self, bucket: int, ids: list[str]) -> None:
        self._members[bucket].extend(ids)
        self._seen.update(ids)

    def _forget(self, now_ms: int) -> None:
        for start in self._log.expired(now_ms):
            self._drop(start)
        while len(self._members) > 1 and len(self) > self._limit:
            self._drop(next(iter(self._members)))

    def _drop(self, start: int) -> None:
        self._log.drop(start)
        self._seen.difference_update(self._members.pop(start, ()))
