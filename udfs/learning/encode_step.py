"""What the encoder does with changes of items: passes them on, and has texts and images encoded.

In: packed changes of an item shard. Out: the same at once; then, when threads of its own have made
the vectors, changes with `text_vector` and `image_vector`. What waits is in Flink's state: nothing
is lost at a failure, and nothing waits for a slow image.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import NamedTuple, Protocol

from udfs.accounts import Account
from udfs.encoders.encoders import FIELD, Encoded, Which
from udfs.encoders.problems import ImageProblem
from udfs.events.item_changes import ItemChange, pack_changes, unpack_changes
from udfs.learning.effects import END, Count, Effect, Emit, Report, Wake
from udfs.learning.encode_plan import EncodeHandles, Plan, failed, waits

TICK_MS = 10
"""How often a shard looks for vectors that are done, ms, while it waits for any."""
MOST = 32
"""Texts and images of a shard that are with the threads at a time."""

log = logging.getLogger(__name__)


class Encoding(Protocol):
    """What `udfs.encoders.encoders.Encoders` does."""

    @property
    def kinds(self) -> tuple[Which, ...]:
        """What can be encoded."""

    def encode(self, which: Which, content: str) -> Encoded:
        """The vector of a text, or of the image that a text names; or raises ImageProblem."""


class _Flight(NamedTuple):
    """What is with a thread: of what time it is, and the vector and µs to come."""

    ts: int
    future: Future[tuple[Encoded, int]]


class EncodeStep:
    """See the module.

    Args:
        shards: the item shard of each of Flink's keys.
        threads: how many for each of the encoders' kinds.
    """

    def __init__(
        self,
        encoders: Encoding,
        state: EncodeHandles,
        shards: Mapping[int, int],
        threads: Mapping[Which, int],
        now_ms: Callable[[], int],
    ) -> None:
        self._encoders, self._state, self._shards, self._now = encoders, state, shards, now_ms
        self._pools = {
            which: ThreadPoolExecutor(threads[which], f"encode-{which}") for which in encoders.kinds
        }
        self._flights: dict[int, dict[str, _Flight]] = {}
        self._due: dict[int, int] = {}  # when each shard's timer fires, ms
        self._told: set[str] = set()

    def message(self, key: int, data: bytes) -> Iterator[Effect]:
        """Pass changes on, and note what is to be encoded."""
        yield Emit(self._shards[key], data)
        plan = Plan(self._state, tuple(self._pools))
        for change in unpack_changes(data):
            plan.note(change)
        if plan.gone:
            yield Emit(self._shards[key], pack_changes(plan.gone))
        if plan.queued or plan.gone:
            # The item learner counts what it gets as lines; these are none.
            waiting = {"waiting": plan.queued}
            yield Report(Account(described=-len(plan.gone), encoder=waiting))
        if plan.store():
            yield Wake(END)
            yield from self._wake(key, 1)

    def timer(self, key: int, timestamp: int) -> Iterator[Effect]:
        """Pass on the vectors that are done and hand out more; at the end, wait for all."""
        if timestamp >= self._due.get(key, 0):
            self._due.pop(key, None)
        yield from self._collect(key)
        while timestamp >= END and (flights := self._flights.get(key)):
            wait([flight.future for flight in flights.values()], return_when=FIRST_COMPLETED)
            yield from self._collect(key)
        if self._flights.get(key):
            yield from self._wake(key, TICK_MS)

    def close(self) -> None:
        """Let the threads end; what they have not begun is left to the state."""
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _wake(self, key: int, ms: int) -> Iterator[Effect]:
        """Look again after so long, unless a timer is set already."""
        if key not in self._due:
            self._due[key] = self._now() + ms
            yield Wake(self._due[key])

    def _collect(self, key: int) -> Iterator[Effect]:
        """Pass on what is done and still wanted, and hand out what waits while there is room."""
        flights, account = self._flights.setdefault(key, {}), Account()
        changes = []
        for row in [row for row, flight in flights.items() if flight.future.done()]:
            flight = flights.pop(row)
            data = self._state.waiting.get(row)
            if data is None or waits(data)[0] != flight.ts:
                continue  # it changed meanwhile, or is gone
            self._state.waiting.remove(row)
            changes += self._landed(row, flight, account.encoder)
        if changes:
            account.described = -len(changes)
            yield Count("encoded", len(changes))
            yield Emit(self._shards[key], pack_changes(changes))
        if account.encoder:
            yield Report(account)
        self._hand_out(flights)

    def _hand_out(self, flights: dict[str, _Flight]) -> None:
        if len(flights) >= MOST:
            return
        for row, data in self._state.waiting.items():
            which: Which = "text" if row.startswith("text:") else "image"
            if row not in flights and which in self._pools:
                ts, content = waits(data)
                flights[row] = _Flight(ts, self._pools[which].submit(self._encode, which, content))
            if len(flights) >= MOST:
                break

    def _encode(self, which: Which, content: str) -> tuple[Encoded, int]:
        """In a thread: the vector, and the µs that it took."""
        begin = time.perf_counter_ns()
        found = self._encoders.encode(which, content)
        return found, (time.perf_counter_ns() - begin) // 1000

    def _landed(self, row: str, flight: _Flight, sums: dict[str, int]) -> list[ItemChange]:
        """The change that a vector is, unless it could not be made; counts it."""
        item = row.partition(":")[2]
        which: Which = "text" if row.startswith("text:") else "image"
        _add(sums, "waiting", -1)
        try:
            found, spent = flight.future.result()
        except Exception as error:  # whatever a network or a decoder does with one item's content
            reason = error.reason if isinstance(error, ImageProblem) else "error"
            _add(sums, f"failed:{reason}", 1)
            failed(self._state, which, item)
            if reason not in self._told:
                self._told.add(reason)
                log.warning(
                    "the %s of item %r has no vector: %s (%.300s); more of this reason are only "
                    "counted, in stats",
                    which,
                    item,
                    reason,
                    error,
                )
            return []
        _add(sums, f"made:{'cached' if found.cached else which}", 1)
        _add(sums, f"spent:{which}_us", spent)
        return [ItemChange(item, flight.ts, {FIELD[which]: found.vector.tolist()})]


def _add(sums: dict[str, int], name: str, n: int) -> None:
    sums[name] = sums.get(name, 0) + n
