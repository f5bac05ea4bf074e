"""What lists remember besides what is learned, in the state of a shard.

In: the steps of lists, which forget when they restart, and the shard's rows. Out: rows that say how
often new items were offered, what users look for and what they were shown; the steps, as they were
before a restart.

A subtask counts what was offered in all of its shards together, and each shard has in its rows what
was added while it was its turn: the sum over the shards is the count, wherever they go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.accounts import Account
from udfs.events.batch import EventBatch, item_key
from udfs.ranking.steps.searched import Running
from udfs.ranking.steps.steps import Steps
from udfs.state.handles import Rows

_TRIED, _SEARCH, _SHOWN, _HEARD = "tried:", "search:", "shown:", "heard"
_encode = msgspec.msgpack.Encoder().encode
_number = msgspec.msgpack.Decoder(int).decode
_running = msgspec.msgpack.Decoder(Running).decode


class Noted:
    """The rows of one shard; a key is `tried:<item>`, `search:<user>`, `shown:<user>` or `heard`.
    Those of what users were shown are read when the user comes into memory.

    Args:
        steps: of the subtask, which remember what the rows say.
    """

    def __init__(self, rows: Rows, steps: Steps) -> None:
        self._rows, self._steps = rows, steps
        self._tried: dict[str, int] = {}
        searches: dict[str, Running] = {}
        heard = 0
        for key, value in rows.items():
            if key.startswith(_TRIED):
                self._tried[key.removeprefix(_TRIED)] = _number(value)
            elif key.startswith(_SEARCH):
                searches[key.removeprefix(_SEARCH)] = _running(value)
            elif key == _HEARD:
                heard = _number(value)
        steps.explore.recall(self._tried, heard)
        steps.searches.recall(searches)
        self._heard, self._first = heard, True

    def searched(self) -> None:
        """Write the searches that have begun, faded or ended since the last call."""
        for user, running in self._steps.searches.changed().items():
            if running is None:
                self._rows.remove(_SEARCH + user)
            else:
                self._rows.put_all({_SEARCH + user: _encode(running)})

    def load(self, slots: NDArray[np.int32], names: Sequence[str]) -> None:
        """Know what the users in these slots (int32[n]) were shown; `names` are those of all
        slots."""
        repeats = self._steps.rerank.repeats
        for slot in repeats.unknown(slots):
            repeats.recall(slot, self._rows.get(_SHOWN + names[slot]))

    def saw(self, told: EventBatch, slots: NDArray[np.int32], names: Sequence[str]) -> None:
        """Count impressions of the users in `slots`, one for each event."""
        self.load(slots, names)
        keys = np.fromiter(map(item_key, told.items), np.uint64, len(told))
        self._steps.rerank.repeats.see(slots, keys, told.ts)
        self.shown()  # at once: the users may leave memory within the batch

    def shown(self) -> None:
        """Write what users were shown, where it has changed since the last call."""
        for user, row in self._steps.rerank.repeats.changed().items():
            if row is None:
                self._rows.remove(_SHOWN + user)
            else:
                self._rows.put_all({_SHOWN + user: row})

    def offered(self) -> None:
        """Write how often items were offered since the last call."""
        explore, tried = self._steps.explore, self._tried
        if explore.idle:
            return
        added = explore.added()
        for item, more in added.items():
            tried[item] = tried.get(item, 0) + more
        changed = {_TRIED + item: _encode(tried[item]) for item in added}
        if (heard := explore.tried.heard_ms) > self._heard:
            self._heard, changed[_HEARD] = heard, _encode(heard)
        if changed:
            self._rows.put_all(changed)

    def sweep(self) -> None:
        """Forget offers of items that are not new any more, searches that are over, and what was
        shown long ago."""
        self._steps.searches.expire()
        matters, first, self._first = self._steps.explore.matters, self._first, False
        # Soon after a restart, items may not be known yet.
        for item in [item for item in self._tried if not matters(item, unknown=first)]:
            del self._tried[item]
            self._rows.remove(_TRIED + item)
        over, faded = self._steps.searches.over, self._steps.rerank.repeats.over
        gone = [
            key
            for key, value in self._rows.items()
            if (key.startswith(_SEARCH) and over(_running(value)))
            or (key.startswith(_SHOWN) and faded(value))
        ]
        for key in gone:
            self._rows.remove(key)


def without_seen(
    batch: EventBatch,
    steps: Steps,
    account: Account,
    saw: Callable[[EventBatch], None] | None = None,
) -> EventBatch:
    """Count what users saw of their lists, which teaches nothing; returns the other events.

    Args:
        saw: takes the events of what they saw, if that counts for their own lists.
    """
    if not (seen := batch.seen).any():
        return batch
    told = batch.take(seen)
    steps.explore.see(told.items, int(told.ts.max()))
    if saw is not None and not steps.rerank.repeats.idle:
        saw(told)
    account.ignored += len(told)
    return batch.take(~seen)
