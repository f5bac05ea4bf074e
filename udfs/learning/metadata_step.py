"""What an item shard does with metadata: merge it, tell it, and take hidden items out of lists.

In: `ItemChange`s and times. Out: effects, and Redis written. It is the part of `item_step` that
does not wait: a new item is to be in lists, and one that is sold out in none, some ms later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from udfs.accounts import Account
from udfs.events.item_changes import ItemChange
from udfs.learning.effects import Effect, Report, Wake
from udfs.learning.item_metadata import ItemMetadata
from udfs.learning.item_shard import ItemShard
from udfs.learning.timers import Timers
from udfs.memory.metadata import NEVER
from udfs.stores.redis_hidden import FAILURES, ListSweep

log = logging.getLogger(__name__)
TIME, SWEEP = "time", "sweep"
"""Names of timers: when items come to be shown or not by themselves; to look through the lists."""
LATE_MS = 500
"""How long after items may not be shown any more the lists in Redis are looked through: by then
every user learner knows it, and none writes another list with them."""
_AGAIN_MS = 5_000  # after a failure
_BEHIND_MS = 600_000  # how far behind a user learner may be, while it learns one long batch


class MetadataStep:
    """The metadata of one shard; `timers` are the shard's.

    Args:
        sweep: looks through lists.
    """

    def __init__(
        self, metadata: ItemMetadata, shard: ItemShard, sweep: ListSweep, timers: Timers
    ) -> None:
        self._metadata, self._shard, self._sweep, self._timers = metadata, shard, sweep, timers
        self._hidden = set[str]()
        self._of_late = dict[str, int]()  # until when an item may be in a list that is being made

    def load(self, now_ms: int) -> Iterator[Effect]:
        """Know the items that have metadata in the state."""
        self._shard.admit(self._metadata.load(now_ms), now_ms)
        yield from self._plan_time(now_ms)

    def take(self, changes: list[ItemChange], now_ms: int) -> Iterator[Effect]:
        """Merge changes, and know the items from now on, whether or not anybody takes them."""
        items, hidden = self._metadata.take(changes, now_ms)
        self._shard.admit(items, now_ms)
        yield from self._hide(hidden, now_ms + LATE_MS)
        yield from self._plan_time(now_ms)
        yield Report(Account(described=len(changes)))

    def pass_time(self, now_ms: int) -> Iterator[Effect]:
        """Note what comes to be shown, or not any more, by itself."""
        yield from self._hide(self._metadata.pass_time(now_ms), now_ms + LATE_MS)
        yield from self._plan_time(now_ms)

    @property
    def lost(self) -> bool:
        """Whether Redis lacks something of what was written."""
        return self._metadata.lost

    def rewrite(self, now_ms: int) -> Iterator[None]:
        """Write all metadata to Redis again, some each time it is continued. Then lists are to be
        looked through: those that Redis has may be older, and a job that was restored does not know
        how far it had come."""
        for hidden in self._metadata.rewrite(now_ms):
            self._hidden.update(hidden)
            yield

    def remove(self, items: list[str]) -> None:
        """Forget items that are not known any more."""
        self._metadata.remove(items)

    def sweep(self) -> Iterator[None]:
        """Look through all lists in Redis, some each time it is continued."""
        items, self._hidden = self._hidden, set()
        try:
            for _ in self._sweep.sweep(items):
                yield
            self._metadata.mark()
        except FAILURES as error:
            log.warning("lists in Redis may still have %d hidden items: %s", len(items), error)
            self._hidden |= items

    def end(self, now_ms: int) -> Iterator[None]:
        """At the end of the input, when all lists are written: as `sweep`, once more for what was
        hidden of late, for a learner may have been in the middle of a long batch."""
        late = [item for item, until in self._of_late.items() if until > now_ms]
        self._hidden.update(self._metadata.hidden(late, now_ms))
        return self.sweep() if self._hidden else iter(())

    def again(self, now_ms: int) -> Iterator[Effect]:
        """After a sweep: another one, if that failed or more has been hidden; and after all was
        written again."""
        yield from self._hide([], now_ms + _AGAIN_MS)

    def _hide(self, items: list[str], at_ms: int) -> Iterator[Wake]:
        self._hidden.update(items)
        for item in items:
            self._of_late.pop(item, None)
            self._of_late[item] = at_ms + _BEHIND_MS
        while self._of_late and next(iter(self._of_late.values())) < at_ms:
            del self._of_late[next(iter(self._of_late))]
        if self._hidden and SWEEP not in self._timers:
            yield Wake(self._timers.plan(SWEEP, at_ms))

    def _plan_time(self, now_ms: int) -> Iterator[Wake]:
        if (at := self._metadata.next_ms) < NEVER:
            yield Wake(self._timers.plan(TIME, max(at, now_ms)))
