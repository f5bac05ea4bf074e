"""The step of an item shard: what is done with a message of changes, and when a timer fires.

In: packed `Deltas` and times, with the handles of the shard's state and the item feed. Out: the
state and the feed, written, and effects: timers, accounts, counts. Flink is not used here.

Nothing waits for an item learner, so it is patient: messages only go to the inbox, and what has
gathered is applied as one. What takes long, writing rows and snapshots, is done in slices, so that
the learners of the same interpreter need not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

from udfs.accounts import Account
from udfs.events.item_changes import is_changes, unpack_changes
from udfs.feed.entries import KEEP_S, PUBLISH_MS
from udfs.feed.writer import FeedWriter
from udfs.learning.contributions import is_contributions, unpack_contributions
from udfs.learning.effects import END, Count, Effect, Report, Wake
from udfs.learning.item_shard import ItemShard
from udfs.learning.item_state import ItemHandles
from udfs.learning.metadata_step import SWEEP, TIME
from udfs.learning.published import CLOSE, Outside, Published
from udfs.learning.settings import JobSettings
from udfs.learning.shared_parameters import as_they_begin
from udfs.learning.timers import next_tick
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex

APPLY_MS = 100
"""How long messages gather. With several machines it adds half of that to the delay before the
others see a change."""
PAIRS_MS = 1_000  # how often changed pairs go to the log: their rows are long and change slowly
_INBOX_BYTES = 32 * 1024 * 1024  # folded at once when the inbox grows beyond it,
_ROW_BYTES = 2_000  # or beyond this many per item, about what folding them all writes
_FOLD_MS = 5_000
_SLICE_MS = 10  # how long what is done in slices pauses between them,
_SLICE_S = 0.002  # and how long a slice takes, unless one part of it takes longer
_APPLY, _PUBLISH, _SNAPSHOT, _SLICE = "apply", "publish", "snapshot", "slice"  # names of timers
_FOLD, _REWRITE = "fold", "rewrite"


class ItemStep:
    """The shards of one subtask.

    Args:
        state: the operator's handles, which Flink scopes to the current shard.
        alone: whether there is only one user learner. clock: the wall clock, ms.

    Attributes:
        shards: those loaded so far, by Flink's key.
    """

    def __init__(
        self,
        settings: JobSettings,
        state: ItemHandles,
        outside: Outside,
        alone: bool,
        clock: Callable[[], int],
    ) -> None:
        options = settings.options
        self._settings, self._state, self._outside, self._clock = settings, state, outside, clock
        # A single user learner knows all that was learned: only /rank, if used, reads the log.
        self._follow = not alone or options.redis.factors
        self._bytes_per_s = options.feed.megabytes_per_s * 1e6 / options.job.item_shards
        self._epoch, self._index = clock(), KeyIndex()
        self.shards: dict[int, Published] = {}

    def message(self, key: int, data: bytes) -> Iterator[Effect]:
        """Put a message of changes into the inbox; metadata is merged at once."""
        found = self.shards.get(key)
        if found is None:
            found = yield from self._load(key)
        if is_contributions(data):
            if found.noisy is not None:
                found.noisy.take(*unpack_contributions(data))
            return
        if is_changes(data):
            yield from found.metadata.take(unpack_changes(data), self._clock())
            yield from self._plan_publish(found)
            yield from found.account()
            return
        found.inbox.add(data)
        found.inbox_bytes += len(data)
        if not found.gathered:
            yield self._plan(found, _APPLY, APPLY_MS)
        found.gathered.append(data)
        if found.inbox_bytes > max(_INBOX_BYTES, _ROW_BYTES * found.shard.catalogue.living):
            yield from self._apply(found)
            yield from self._plan_publish(found)
            self._begin_fold(found)
            found.finish(_FOLD)

    def timer(self, key: int, timestamp: int) -> Iterator[Effect]:
        """Apply what has gathered; publish what changed; at longer intervals fold the inbox, expire
        and take a snapshot."""
        now, found, ended = self._clock(), self.shards.get(key), timestamp == END
        if found is None:
            timestamp, found = END, (yield from self._load(key))
        due = found.timers.take(timestamp)
        if found.gathered and due - {_SLICE}:
            yield from self._apply(found)
            yield from self._plan_publish(found)
        if _PUBLISH in due:
            yield from self._publish(found, now)
        if _SNAPSHOT in due:
            yield from self._keep(found, now)
        if found.noisy is not None and (CLOSE in due or ended):
            yield found.close(found.noisy, now, ended=ended)
            yield from self._plan_publish(found)
        if TIME in due:
            yield from found.metadata.pass_time(now)
        if SWEEP in due:
            found.tasks[SWEEP] = found.metadata.sweep()
        if found.tasks:
            yield from self._continue(found)
        if ended:  # nothing that is planned for later is done any more
            found.finish(SWEEP)
            found.tasks[SWEEP] = found.metadata.end(now)
            found.finish(SWEEP)
        if found.written and not found.tasks:
            yield Report(Account(feed=found.written))
            found.written = {}

    def end(self) -> Iterator[Effect]:
        """At the end of a bounded input: leave a snapshot of the final items."""
        for found in self.shards.values():
            if found.gathered:
                yield from self._apply(found)
            found.finish(_SNAPSHOT)
            if found.shard.changed:
                yield from self._snapshot(found, pairs=True)
                found.finish(_SNAPSHOT)

    def _load(self, key: int) -> Generator[Effect, None, Published]:
        """Load the shard from its state."""
        options, state = self._settings.options, self._state
        self._settings.layout.check(state.layout, "the item learner")
        number = self._settings.item_keys.index(key)
        shard = ItemShard(
            Catalogue(options.model.dimensions, options.model.seed, options.state.max_items),
            Neighbours(options.item_cf),
            None if number else as_they_begin(options),
            self._index,
            options.half_life_ms,
            self._follow,
        )
        waiting = state.restore(shard)
        restored = shard.catalogue.living > 0 or waiting > 0
        feed = FeedWriter(self._outside.feed, number, self._epoch, restored, KEEP_S)
        found = self.shards[key] = Published(shard, feed, state, self._outside, options.rules)
        found.inbox_bytes = waiting
        yield from found.metadata.load(self._clock())
        yield from found.begin_noise(options.privacy.epsilon, self._clock())
        yield self._plan_snapshot(found)
        yield Wake(END)
        yield from found.account()  # what was in the inbox may not have been counted
        if restored:
            yield from self._snapshot(found, pairs=True)
            found.finish(_SNAPSHOT)
            yield self._plan(found, _PUBLISH, PUBLISH_MS)
        if found.shard.catalogue.living:  # also where only metadata names the items
            yield self._rewrite(found)
        return found

    def _plan(self, found: Published, name: str, interval_ms: int) -> Wake:
        return Wake(found.timers.plan(name, next_tick(self._clock(), interval_ms)))

    def _plan_publish(self, found: Published) -> Iterator[Wake]:
        """Plan to publish, unless that is planned: moved again and again by timers that come late,
        it would never be due."""
        if _PUBLISH not in found.timers:
            yield self._plan(found, _PUBLISH, PUBLISH_MS)

    def _rewrite(self, found: Published) -> Wake:
        """Begin to write all metadata to Redis again."""
        found.tasks[_REWRITE] = found.metadata.rewrite(self._clock())
        return self._plan(found, _SLICE, _SLICE_MS)

    def _plan_snapshot(self, found: Published) -> Wake:
        return self._plan(found, _SNAPSHOT, int(self._settings.options.feed.snapshot_s * 1000))

    def _apply(self, found: Published) -> Iterator[Effect]:
        """Apply the messages that have gathered, as one."""
        messages, found.gathered = found.gathered, []
        yield Count("updates", found.shard.apply(*messages, now_ms=self._clock()))
        yield from found.account()

    def _publish(self, found: Published, now: int) -> Iterator[Effect]:
        """Publish changes, and begin to fold the inbox if it is time to."""
        if self._follow:
            yield from self._publish_changes(found, now)
        unfolded = found.shard.unfolded
        if unfolded and now - found.folded_ms >= _FOLD_MS:
            self._begin_fold(found)
        if unfolded or (self._follow and found.shard.waiting):
            yield from self._plan_publish(found)

    def _publish_changes(self, found: Published, now: int) -> Iterator[Effect]:
        """Add changes to the log; half of the allowed bytes are for items, half for pairs."""
        due = now - found.pairs_ms >= PAIRS_MS
        found.pairs_ms = now if due else found.pairs_ms
        half = self._bytes_per_s / 2000  # per millisecond
        room = int(half * PUBLISH_MS), int(half * PAIRS_MS) if due else 0
        shard = found.shard
        for changes in shard.changes(*room, now):
            size = found.feed.append(shard.catalogue, changes, shard.marks.flags, now)
            found.wrote("changes", size)
            yield Count("published", len(changes.slots))

    def _keep(self, found: Published, now: int) -> Iterator[Effect]:
        """Drop idle items, and begin a snapshot if anything has changed."""
        yield self._plan_snapshot(found)
        self._expire(found, now)
        yield from found.account()
        if _SNAPSHOT in found.tasks:
            return
        if found.feed.lost():
            found.shard.forget_snapshot()
            if found.noisy is not None:
                found.noisy.write()
        if found.metadata.lost:
            yield self._rewrite(found)
        if found.shard.changed and now >= found.snapshot_ms:
            # A single user learner needs the pairs only after a restart.
            yield from self._snapshot(found, pairs=self._follow)

    def _continue(self, found: Published) -> Iterator[Effect]:
        """One slice of what is being done in slices."""
        began = time.perf_counter()
        while found.tasks:
            name, task = next(iter(found.tasks.items()))
            for _ in task:
                break
            else:
                del found.tasks[name]
                if name in (SWEEP, _REWRITE):
                    yield from found.metadata.again(self._clock())
            if time.perf_counter() - began > _SLICE_S:
                break
        if found.tasks:
            yield self._plan(found, _SLICE, _SLICE_MS)

    def _expire(self, found: Published, now: int) -> None:
        """Drop idle items, also from the state."""
        shard, before_ms = found.shard, now - self._settings.options.item_expiry_ms
        if not shard.idle(before_ms):
            return
        found.finish(_FOLD)
        expired = shard.expire(before_ms)
        for item in expired:
            self._state.items.remove(item)
            self._state.pairs.remove(item)
        found.metadata.remove(expired)
        if shard.catalogue.wasteful:
            found.tasks.pop(_SNAPSHOT, None)
            self._begin_fold(found)
            found.finish(_FOLD)
            shard.compact()

    def _begin_fold(self, found: Published) -> None:
        """Begin to write what has changed to the state; all messages must have been applied."""
        found.finish(_FOLD)
        found.tasks[_FOLD] = task = self._state.fold(found.shard)
        found.inbox_bytes, found.folded_ms = 0, self._clock()
        if next(task, self) is self:
            del found.tasks[_FOLD]
        found.inbox = self._state.inboxes[0]

    def _snapshot(self, found: Published, *, pairs: bool) -> Iterator[Effect]:
        """Begin to write a snapshot."""
        found.tasks[_SNAPSHOT] = self._write_snapshot(found, pairs)
        yield Count("published", found.shard.catalogue.living)

    def _write_snapshot(self, found: Published, pairs: bool) -> Iterator[None]:
        """Write the chunks that have changed, one each time it is continued; the next snapshot
        comes no sooner than its bytes allow."""
        shard, feed, written = found.shard, found.feed, 0
        shard.changed = False
        stale = shard.stale(pairs=pairs)
        feed.begin(items=shard.whole(pairs=False), pairs=pairs and shard.whole(pairs=True))
        for number, kind in stale:
            slots, rows = shard.chunk(number, pairs=kind)
            written += feed.put(shard.catalogue, number, slots, rows if kind else None)
            yield
        if not feed.finish(shard.parameters):
            shard.forget_snapshot()
        found.wrote("snapshots", written)
        found.snapshot_ms = self._clock() + int(1000 * written / self._bytes_per_s)
