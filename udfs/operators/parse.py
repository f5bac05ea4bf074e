"""The operator `parse`: raw lines of a micro-batch into events by user shard.

In: rows `(lane, JSON array of lines, opened ms)` that Flink SQL made, each line with its position
before the first line feed. Out: `(user shard key, packed EventBatch)`; beside it, dead letters as
JSON and accounts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
from pyflink.datastream import ProcessFunction, RuntimeContext

from udfs.accounts import Account, pack_account
from udfs.events.batch import EventBatch, pack, split, user_shard
from udfs.events.decode import Decoded, Decoder, DecodeSettings
from udfs.operators.code_check import Shipped
from udfs.operators.flink import DEAD_LETTERS, STATS, now_ms

LINE_MOST = 100_000
"""Characters of a line in its dead letter: escaped, six bytes each at most, they still fit into a
Kafka record of a megabyte, Kafka's default, and the job does not end on a letter it cannot send."""
_lines = msgspec.json.Decoder(list[str]).decode
_json = msgspec.json.Encoder().encode


class Parse(Shipped, ProcessFunction):  # type: ignore[misc]
    """See the module; the decoding is `udfs.events.decode`.

    Args:
        settings: what decides the meaning of a line.
        user_keys: the Flink key of each user shard.
        source: the name before a position, such as "kafka:events" or "".
    """

    def __init__(
        self, settings: DecodeSettings, user_keys: list[int], source: str, positions: bool
    ) -> None:
        self._settings, self._keys = settings, user_keys
        self._source, self._positions = source, positions

    def open(self, context: RuntimeContext) -> None:
        """Build the decoder and register the counters."""
        self._decoder = Decoder(self._settings)
        self._group = context.get_metrics_group()
        self._received = self._group.counter("received")
        self._reasons: dict[str, Any] = {}

    def process_element(
        self, value: Any, context: ProcessFunction.Context
    ) -> Iterator[tuple[Any, Any]]:
        """Decode one micro-batch."""
        opened, now = int(value[2]), now_ms()
        tagged = _lines(value[1])
        positions: Sequence[str] = ()
        lines: Sequence[str] = tagged
        if self._positions:
            pairs = [line.split("\n", 1) for line in tagged]
            positions, lines = [p[0] for p in pairs], [p[-1] for p in pairs]
        decoded = self._decoder.decode(lines, now)
        self._received.inc(len(lines))
        for shard, batch in split_by_user(decoded, len(self._keys), opened).items():
            yield self._keys[shard], pack(batch)
        account = Account(received=len(lines), ignored=decoded.ignored, dead={})
        for bad in decoded.rejected:
            account.dead[bad.reason] = account.dead.get(bad.reason, 0) + 1
            position = positions[bad.index] if positions else ""
            line = lines[bad.index]
            yield DEAD_LETTERS, self._letter(bad.reason, bad.detail, position, line, now)
        for reason, count in account.dead.items():
            self._count(reason, count)
        yield STATS, pack_account(account)

    def _letter(self, reason: str, detail: str, position: str, line: str, now: int) -> str:
        source = ":".join(part for part in (self._source, position) if part)
        letter: dict[str, str | int]
        letter = {"reason": reason, "detail": detail, "source": source, "line": line, "at": now}
        if len(line) > LINE_MOST:
            letter |= {"line": line[:LINE_MOST], "length": len(line)}
        try:
            return _json(letter).decode()
        except UnicodeEncodeError:  # half of a surrogate pair has no UTF-8
            text = line[:LINE_MOST].encode("utf-8", "backslashreplace").decode()
            letter["line"] = text[:LINE_MOST]
            return _json(letter).decode()

    def _count(self, reason: str, count: int) -> None:
        if reason not in self._reasons:
            self._reasons[reason] = self._group.add_group("reason", reason).counter("dead_letters")
        self._reasons[reason].inc(count)


def split_by_user(decoded: Decoded, shards: int, opened: int) -> dict[int, EventBatch]:
    """The accepted events as one batch per user shard, each in the order of the lines."""
    batch = EventBatch(
        users=decoded.users,
        items=decoded.items,
        weights=decoded.weights.astype("<f4").tobytes(),
        flags=decoded.flags.tobytes(),
        ts=decoded.ts.astype("<i8").tobytes(),
        ids=decoded.ids,
        opened=opened,
        ratings=b"" if np.isnan(decoded.ratings).all() else decoded.ratings.astype("<f4").tobytes(),
    )
    if shards == 1:
        return {0: batch} if len(batch) else {}
    return split(batch, [user_shard(user, shards) for user in decoded.users])
