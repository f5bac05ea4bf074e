"""The ids that the operator `identity` knows: a bounded cache on top of Flink's state.

In: ids, and the bytes of their events. Out: their records, and all remembered events of some ids in
the order of arrival. A cached record equals the one in state as soon as `store` was called.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.joined import NOTED, events_of
from udfs.events.people import PERSONALISE
from udfs.learning.follows import FOLLOWS, naming, without
from udfs.learning.forgotten import Forgotten, Mark
from udfs.state.handles import Cell, Rows
from udfs.state.id_records import PAGE, PAGE_BYTES, IdRecord, pack_id, unpack_id
from udfs.state.time_log import TimeLog

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[str]).decode


class IdentityHandles(NamedTuple):
    """The state of the operator `identity`, all under one key; the names are those in Flink.

    Attributes:
        ids: id → its `IdRecord`. pages: "<number>:<id>" → a full page of its events.
        seen: the log of the ids by when they were seen. duplicates: that of the events' own ids.
        forgotten: the marks of `udfs.learning.forgotten`.
        order: how many events there were, as eight bytes.
    """

    ids: Rows
    pages: Rows
    seen: Rows
    duplicates: Rows
    forgotten: Rows
    order: Cell


class Ids:
    """See the module.

    Args:
        capacity: how many are kept in memory. keep: how many events are remembered of each, rounded
            up to whole pages. span_ms: how long an id may be idle.

    Attributes:
        reminded: ids that are known anew, but that nothing is to be learned of, and since when:
            their shards may know it only of the place that they had.
        follow: whether any id ever said whom it follows; None: it is not known since the start.
    """

    def __init__(self, state: IdentityHandles, capacity: int, keep: int, span_ms: int) -> None:
        self._state, self._capacity = state, capacity
        self._pages = -(-keep // PAGE)
        self._cached: OrderedDict[str, IdRecord] = OrderedDict()
        self._log = TimeLog(state.seen, span_ms)
        self.span_ms = span_ms
        self.forgotten = Forgotten(state.forgotten)
        self.reminded: dict[str, int] = {}
        self.follow: bool | None = None

    def find(self, id_: str) -> IdRecord | None:
        """The record of an id, if there is one."""
        found = self._cached.get(id_)
        if found is None and (stored := self._state.ids.get(id_)) is not None:
            found = self._cached[id_] = unpack_id(stored)
        return found

    def get(self, id_: str) -> IdRecord:
        """The record of an id, a new one of an id that is new."""
        found = self._cached.get(id_)
        if found is not None:
            self._cached.move_to_end(id_)
            return found
        if (found := self.find(id_)) is None:
            found = self._cached[id_] = IdRecord()
            if (mark := self.forgotten.of(id_)) is not None:
                found.refused = found.parted = mark.deleted
                if not mark.personalise:
                    found.silent, found.since = True, mark.said
                    found.said = {PERSONALISE: (mark.said, False)}
                    self.reminded[id_] = mark.said
        return found

    def store(self, names: Iterable[str]) -> None:
        """Write the records of some ids to the state."""
        cached = self._cached
        self._state.ids.put_all({name: pack_id(cached[name]) for name in names})

    def let_go(self, names: Iterable[str]) -> None:
        """Drop the records of ids of which nothing was kept, so that they are nowhere."""
        for name in names:
            if not self._cached[name].seen:
                del self._cached[name]

    def trim(self) -> None:
        """Drop what is too much from the cache; nobody may hold a record of it."""
        while len(self._cached) > self._capacity:
            self._cached.popitem(last=False)

    def see(self, names: Iterable[str], now_ms: int) -> None:
        """Note that some ids were seen; `store` them afterwards."""
        bucket, fresh, cached = self._log.begin(now_ms), [], self._cached
        for name in names:
            record = cached[name]
            record.seen = now_ms
            if not (marks := record.marks) or marks[-1][0] != bucket:
                fresh.append(name)
        self._mark(fresh, bucket)

    def _mark(self, names: list[str], bucket: int) -> None:
        if names:
            place = bucket, self._log.buckets[bucket]
            for name in names:
                record = self.get(name)
                record.marks = [*(mark for mark in record.marks if mark[0] in self._log.buckets)]
                record.marks.append(place)
            self._log.append(bucket, _encode(names))

    def idle(self, now_ms: int) -> Iterator[str]:
        """The ids that stand in what has expired of the log, each of which leaves it: it is to be
        removed, or kept by `keep_on`."""
        for bucket in self._log.expired(now_ms):
            yield from (name for chunk in self._log.drop(bucket) for name in _decode(chunk))

    def keep_on(self, name: str, now_ms: int) -> None:
        """Have an idle id looked at again later, for it belongs to somebody who is not."""
        self._mark([name], self._log.begin(now_ms))
        self.store([name])

    def take(self, records: Mapping[str, IdRecord], users: Iterable[str], events: bytes) -> None:
        """Remember the events of some ids, packed `NOTED`, one of each of `users`, which may be any
        of the keys of `records`; `store` these afterwards."""
        size, at = NOTED.itemsize, 0
        for user in users:
            record = records[user]
            if not record.silent:
                record.count += 1
                record.page += events[at : at + size]
                if len(record.page) >= PAGE_BYTES:
                    self._seal(user, record)
            at += size

    def _seal(self, name: str, record: IdRecord) -> None:
        self._state.pages.put_all({f"{record.full}:{name}": record.page})
        record.page, record.full = b"", record.full + 1
        while record.full - record.first > self._pages:
            self._state.pages.remove(f"{record.first}:{name}")
            record.first += 1

    def events(self, names: Iterable[str]) -> tuple[NDArray[Any], list[str]]:
        """The remembered events of some ids in the order of arrival, `NOTED`[n], and whose each
        is."""
        parts, whose = [np.zeros(0, NOTED)], []
        for name in names:
            record = self.get(name)
            pages = [self._state.pages.get(f"{n}:{name}") for n in range(record.first, record.full)]
            own = events_of(b"".join([*(page for page in pages if page), record.page]))
            parts.append(own)
            whose += [name] * len(own)
        found = np.concatenate(parts)
        order = np.argsort(found["order"], kind="stable")
        return found[order], [whose[row] for row in order.tolist()]

    def clear(self, name: str) -> None:
        """Forget the events of an id; `store` it afterwards."""
        record = self.get(name)
        for number in range(record.first, record.full):
            self._state.pages.remove(f"{number}:{name}")
        record.first = record.full = record.count = 0
        record.page = b""

    def remove(self, name: str) -> None:
        """Forget an id, wherever it stands; that nothing is to be learned of it stays a mark."""
        self.clear(name)
        record = self.get(name)
        if record.silent:
            self.forgotten.put(name, Mark(max(record.refused, 0), record.since, False))
        for bucket, number in record.marks:
            key = f"{bucket}:{number}"
            if (chunk := self._state.seen.get(key)) is not None:
                left = [other for other in _decode(chunk) if other != name]
                self._state.seen.put_all({key: _encode(left)})
        self._state.ids.remove(name)
        self.reminded.pop(name, None)
        del self._cached[name]

    def unfollow(self, gone: Mapping[str, int]) -> None:
        """Let no id follow users who were forgotten; all ids are read, if any follows anybody."""
        rows, changed = self._state.ids, []
        if self.follow is None:
            self.follow = bool(naming(rows, {FOLLOWS: 0}))
        for name, data in naming(rows, gone) if self.follow else ():
            said = without(unpack_id(data).said, gone)
            if said is not None:
                self.get(name).said = said
                changed.append(name)
        self.store(changed)

    def refuse(self, name: str, ts: int) -> None:
        """Keep nothing of an id but that its events up to a time, ms, are refused."""
        self.remove(name)
        mark = self.forgotten.of(name) or Mark()
        self.forgotten.put(name, Mark(max(ts, mark.deleted), mark.said, mark.personalise))
