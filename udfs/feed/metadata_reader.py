"""Items' metadata as a user learner reads it: all at its start, then what changes.

In: notices of changes from `parse`, which come before the changes themselves are in Redis; entries
out of Redis. Out: `Described` entries, new and old ones alike: all are absolute.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from udfs.errors import ServiceError
from udfs.feed.metadata import Described, unpack
from udfs.stores.redis_metadata import KEEP_MS, RedisMetadata

log = logging.getLogger(__name__)
SOON_MS = 5
"""How soon after a notice the entries are looked for; the pause doubles up to `SLOW_MS`."""
SLOW_MS = 1_000
"""How often they are looked for without a notice: an item learner that was restored writes all of
its entries anew."""
_MOST = 512  # entries at once: learning waits some milliseconds for them
_PATIENCE_MS = 60_000  # how long a notice is believed: an item learner may be restarting


class MetadataReader:
    """See the module.

    Args:
        shards: how many item shards there are.
    """

    def __init__(self, redis: RedisMetadata, shards: int) -> None:
        self._redis, self._shards = redis, shards
        self._position = "0-0"
        self._awaited: dict[str, tuple[int, int]] = {}  # item → its time, and when it was noticed
        self._read_ms, self._pause_ms, self._next_ms = 0, SLOW_MS, 0

    def start(self, now_ms: int) -> list[Described]:
        """All entries that there are."""
        self._position = self._redis.end()
        self._read_ms, self._next_ms = now_ms, now_ms + SLOW_MS
        found = [
            entry
            for shard in range(self._shards)
            for some in self._redis.load(shard)
            for entry in self._unpacked(some)
        ]
        self._settle(found, now_ms)
        return found

    def expect(self, notice: Sequence[tuple[str, int]], now_ms: int) -> None:
        """Take a notice: items, and as of when they change, ms."""
        for item, ts in notice:
            known = self._awaited.get(item, (0, 0))[0]
            self._awaited[item] = max(ts, known), now_ms
        self._pause_ms = SOON_MS
        self._next_ms = min(self._next_ms, now_ms + SOON_MS)

    @property
    def next_ms(self) -> int:
        """When `read` looks again, ms."""
        return self._next_ms

    @property
    def waiting(self) -> bool:
        """Whether a notice has come of something that has not."""
        return bool(self._awaited)

    def read(self, now_ms: int) -> list[Described]:
        """What has changed since the last call, if it is time to look."""
        if now_ms < self._next_ms:
            return []
        if not self._redis.answers:  # nobody waits for it: a job without events need not end
            self._next_ms = now_ms + SLOW_MS
            return []
        if now_ms - self._read_ms > KEEP_MS // 2:
            return self.start(now_ms)
        found: list[bytes] = []
        for position, entry in self._redis.follow(self._position):
            self._position = position
            found.append(entry)
            if len(found) >= _MOST:
                break
        entries = self._unpacked(found)
        self._read_ms = now_ms
        self._settle(entries, now_ms)
        if len(found) >= _MOST:
            self._next_ms = now_ms + SOON_MS
        return entries

    def _settle(self, entries: Iterable[Described], now_ms: int) -> None:
        for entry in entries:
            if self._awaited.get(entry.item, (NOT_YET, 0))[0] <= entry.at:
                del self._awaited[entry.item]
        late = [item for item, (_, at) in self._awaited.items() if now_ms - at > _PATIENCE_MS]
        for item in late:
            del self._awaited[item]
        self._pause_ms = min(2 * self._pause_ms, SLOW_MS) if self._awaited else SLOW_MS
        self._next_ms = now_ms + self._pause_ms

    def _unpacked(self, found: Iterable[bytes]) -> list[Described]:
        entries = []
        for data in found:
            try:
                entries.append(unpack(data))
            except ServiceError as error:
                log.warning("metadata of an item cannot be read and is skipped: %s", error)
        return entries


NOT_YET = 2**63
