"""Recorded events in order of time, ready to be written again as millirec's own JSON.

In: files of any preset. Out: a `Recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.data.recorded import files_of, read_blocks
from flink_app.graph.headers import check_files
from udfs.errors import SourceError
from udfs.events.columns import Column, registered
from udfs.events.decode import Decoded, Decoder
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


@lru_cache
def _event_with(fields: tuple[str, ...]) -> Callable[..., _Event]:
    """An event that may have these fields too."""
    if not fields:
        return _Event
    names = {f"f{n}": field for n, field in enumerate(fields)}
    more = [(name, Any, None) for name in names]
    made: Any = msgspec.defstruct("Event", more, bases=(_Event,), rename=names, omit_defaults=True)
    event: Callable[..., _Event] = made
    return event


_encode = msgspec.json.Encoder().encode


class Recording(msgspec.Struct, frozen=True, eq=False):
    """n events by time, equal times as they came.

    Attributes:
        ts: int64[n], milliseconds since 1970, ascending.
        users, items, ids: ids; "" where an event has none of its own.
        types: millirec's word for each type, None where the event names none.
        values: float64[n], NaN where there is none.
        more: of registered columns, by the field of a line: n values, None where there is none.
        left_out: lines that are no events, or have no time.
    """

    ts: NDArray[np.int64]
    users: list[str]
    items: list[str]
    types: list[str | None]
    values: NDArray[np.float64]
    ids: list[str]
    left_out: int
    more: dict[str, list[Any]] = {}

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
        more = [column[begin:end] for column in self.more.values()]
        event = _event_with(tuple(self.more))
        return [_encode(event(*row)) for row in zip(*columns, values, ids, *more, strict=True)]


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
    more: dict[str, list[Any]] = {
        field: [] for field in registered() if field in settings.preset.fields
    }
    default = settings.preset.default_type or None
    check_files(settings.preset, files_of(paths))
    for block in read_blocks(paths):
        lines += len(block.lines)
        raw = decoder.read(block.lines, block.files)
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
        for field, column in more.items():
            column += compress(_given(registered()[field], found), timed)
        times.append(found.ts[timed])
        values.append(raw.values[good][timed])
        if len(users) > most:
            raise SourceError(
                f"there are more than {most:,} events, more than are put in order in memory: "
                "split them by time, and replay one part after the other"
            )
    if not lines:
        given = ", ".join(map(str, paths))
        raise SourceError(f"there are no lines in {given}: name a file that holds events")
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
        more={field: [column[n] for n in at] for field, column in more.items()},
    )


def _given(column: Column, found: Decoded) -> list[Any]:
    """The values of a column of each event, None where it has the fill."""
    fill, values = column.fill, found.column(column.name)
    entries = values if isinstance(values, list) else values.tolist()
    return [None if entry == fill or entry != entry else entry for entry in entries]
