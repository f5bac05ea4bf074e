"""One item shard with what its step records about it, and where it writes to.

In: a shard, its feed and its state. Out: `Published`, which `udfs.learning.item_step` works on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from udfs.accounts import Account
from udfs.feed.writer import FeedWriter
from udfs.learning.effects import Report, Wake
from udfs.learning.item_metadata import ItemMetadata
from udfs.learning.item_shard import ItemShard
from udfs.learning.item_state import ItemHandles
from udfs.learning.metadata_step import MetadataStep
from udfs.learning.noisy_counts import NoisyCounts
from udfs.learning.timers import Timers
from udfs.models.popular.noise import day_of
from udfs.options.privacy import GRACE_MS
from udfs.options.rules import Rule
from udfs.stores.redis_feed import RedisFeed
from udfs.stores.redis_hidden import ListSweep
from udfs.stores.redis_metadata import RedisMetadata

CLOSE = "close"
"""The name of the timer that closes a day of counts with noise."""


class Outside(NamedTuple):
    """What the item shards write to outside of Flink."""

    feed: RedisFeed
    metadata: RedisMetadata
    lists: ListSweep


class Published:
    """One shard with what the step records about it.

    Attributes:
        metadata: what is done with that of its items. noisy: their counts for what everybody may
            read, if these have noise.
        inbox: where messages go. gathered: those in it that have not been applied.
        tasks: what is being done in slices.
    """

    def __init__(
        self,
        shard: ItemShard,
        feed: FeedWriter,
        state: ItemHandles,
        to: Outside,
        rules: Sequence[Rule] = (),
    ) -> None:
        self.shard, self.feed, self.timers, self.inbox = shard, feed, Timers(), state.inboxes[0]
        metadata = ItemMetadata(state.metadata, to.metadata, feed.shard, rules)
        self.metadata = MetadataStep(metadata, shard, to.lists, self.timers)
        self.noisy: NoisyCounts | None = None
        self._state, self._to = state, to
        self.gathered: list[bytes] = []
        self.tasks: dict[str, Iterator[None]] = {}
        self.inbox_bytes = self.folded_ms = self.pairs_ms = self.snapshot_ms = self.living = 0
        self.written: dict[str, int] = {}

    def wrote(self, kind: str, count: int) -> None:
        """Record bytes written to the feed, for the next account."""
        self.written[kind] = self.written.get(kind, 0) + count

    def begin_noise(self, epsilon: float, now_ms: int) -> Iterator[Wake]:
        """Take the counts with noise from the state, if there are to be any."""
        rows, cell = self._state.noisy, self._state.noise
        if rows is None or cell is None:
            return
        own = rows, cell, self._state.metadata, self._to.feed, self.feed.shard
        self.noisy = NoisyCounts(*own, epsilon)
        self.noisy.load(now_ms)
        yield Wake(self.timers.plan(CLOSE, self.noisy.next_ms))

    def close(self, noisy: NoisyCounts, now_ms: int, *, ended: bool) -> Wake:
        """Close the days that are over, at the end of the input today, too. What lines describe
        does not expire: that an item is there must not tell that somebody took it."""
        day = day_of(now_ms) if ended else day_of(now_ms - GRACE_MS) - 1
        self.shard.admit(noisy.close(day), now_ms)
        return Wake(self.timers.plan(CLOSE, noisy.next_ms))

    def account(self) -> Iterator[Report]:
        """The number of living items, if it has changed."""
        if self.living != (living := self.shard.catalogue.living):
            self.living = living
            yield Report(Account(items={self.feed.shard: living}))

    def finish(self, name: str) -> None:
        """Do all that is left of a task."""
        for _ in self.tasks.pop(name, ()):
            pass
