"""Recorded events in order of time, ready to be written again as millirec's own JSON.

In: files of any preset. Out: a `Recording`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.data.recorded import read_blocks
from udfs.errors import SourceError
from udfs.events.decode import Decoder
from udfs.events.settings import DecodeSettings

MOST = 20_000_000
"""Events that are put in order in memory, 2 to 4 GB of it."""


class _Event(msgspec.Struct, omit_defaults=True):
    user: str
    item: str
    ts: int
    type: str | None = None
    value: float | None = None
    id: str | None = None


_encode = msgspec.json.Encoder().encode


class Recording(msgspec.Struct, frozen=True, eq=False):
    """n events by time, equal times as they came.

    Attributes:
        ts: int64[n], milliseconds since 1970, ascending.
        users, items, ids: ids; "" where an event has none of its own.
        types: millirec's word for each type, None where the event names none.
        values: float64[n], NaN where there is none.
        left_out: lines that are no events, or have no time.
    """

    ts: NDArray[np.int64]
    users: list[str]
    items: list[str]
    types: list[str | None]
    values: NDArray[np.float64]
    ids: list[str]
    left_out: int

    def __len__(self) -> int:
        return len(self.ts)

    @property
    def seconds(self) -> float:
        """From the first event to the last."""
        return float(self.ts[-1] - self.ts[0]) / 1000

    def lines(self, begin: int, end: int, now_ms: int | None, run: str) -> list[bytes]:
        """Events as lines of JSON.

        Args:
            now_ms: their time; None: as recorded. run: what their ids begin with.
        """
        times = self.ts[begin:end].tolist() if now_ms is None else [now_ms] * (end - begin)
        values = [None if value != value else value for value in self.values[begin:end].tolist()]
        ids = [f"{run}{id_}" if id_ else None for id_ in self.ids[begin:end]]
        columns = self.users[begin:end], self.items[begin:end], times, self.types[begin:end]
        return [_encode(_Event(*event)) for event in zip(*columns, values, ids, strict=True)]


def read_recording(
    paths: Sequence[Path], settings: DecodeSettings, now_ms: int, most: int = MOST
) -> Recording:
    """The events of files.

    Raises:
        SourceError: a file cannot be read, there is no event with a time, or there are too many.
    """
    # Whatever the weights are here, the job that reads them has its own.
    settings = msgspec.structs.replace(settings, zero_weight="learn", user_per_minute=0)
    decoder, names = (
        Decoder(settings),
        {word.lower(): kind for word, kind in settings.preset.types.items()},
    )
    same: dict[str, str] = {}  # one string for an id, however often it comes
    users: list[str] = []
    items: list[str] = []
    ids: list[str] = []
    types: list[str | None] = []
    times, values, lines = [], [], 0
    default = settings.preset.default_type or None
    for block in read_blocks(paths):
        lines += len(block.lines)
        raw = decoder.read(block.lines)
        found = decoder.check(raw, now_ms)
        good = np.ones(len(raw.rows), np.bool_)
        good[list(raw.problems)] = False
        timed = [time is not None for time in compress(raw.times, good)]
        users += [same.setdefault(name, name) for name in compress(found.users, timed)]
        items += [same.setdefault(name, name) for name in compress(found.items, timed)]
        ids += compress(found.ids, timed)
        for word in compress(compress(raw.types, good), timed):
            kind = default if word is None else names.get(str(word).strip().lower(), str(word))
            types.append(kind and same.setdefault(kind, kind))
        times.append(found.ts[timed])
        values.append(raw.values[good][timed])
        if len(users) > most:
            raise SourceError(
                f"there are more than {most:,} events, more than are put in order in memory: "
                "split them by time, and replay one part after the other"
            )
    if not users:
        raise SourceError(
            f"none of {lines:,} lines is an event with a time: see `millirec validate`, which says "
            "why"
        )
    ts = np.concatenate(times)
    order = np.argsort(ts, kind="stable")
    at = order.tolist()
    return Recording(
        ts=ts[order],
        users=[users[n] for n in at],
        items=[items[n] for n in at],
        types=[types[n] for n in at],
        values=np.concatenate(values)[order],
        ids=[ids[n] for n in at],
        left_out=lines - len(users),
    )
