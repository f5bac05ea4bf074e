"""Recorded events in order of time, ready to be written again as millirec's own JSON.

In: files of any preset. Out: a `Recording`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import compress, groupby
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.data.recorded import Block, files_of, read_blocks
from flink_app.graph.headers import check_files
from udfs.errors import SourceError
from udfs.events.columns import Column, registered
from udfs.events.decode import Decoded, Decoder
from udfs.events.kinds import EVENT, by_kind
from udfs.events.own_form import own_form
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
        left_out: lines, or elements of lines, that are unusable or have no time; headers, blank
            lines and lines that are no interaction do not count.
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
    paths: Sequence[Path],
    settings: DecodeSettings,
    now_ms: int,
    most: int = MOST,
) -> Recording:
    """The events of files that have a time.

    Raises:
        SourceError: a file cannot be read, there is no event with a time, or there are too many.
    """
    check_files(settings.preset, files_of(paths))
    gathered = Gathered(settings, now_ms)
    for block in read_blocks(paths, encoding=settings.preset.encoding):
        gathered.add(block)
        if len(gathered.users) > most:
            raise SourceError(
                f"there are more than {most:,} events, more than are put in order in memory: "
                "split them by time, and replay one part after the other"
            )
    if not gathered.received:
        given = ", ".join(map(str, paths))
        raise SourceError(f"there are no lines in {given}: name a file that holds events")
    if not gathered.users:
        raise SourceError(
            f"none of {gathered.received:,} lines is an event with a time: see `millirec "
            "validate`, which says why"
        )
    return gathered.by_time()


class Gathered:
    """The events that have a time so far, as they came.

    Args:
        weighty: whether only events count whose weight is not 0.

    Attributes:
        received: how many lines and elements were read. ignored: how many of them are headers,
            blank or no interaction. users: the user of each event.
        untimed: how many events have no time.
        first: what is wrong with the first line that cannot be used, "" if there is none.
    """

    def __init__(self, settings: DecodeSettings, now_ms: int, *, weighty: bool = False) -> None:
        self._now, self._weighty = now_ms, weighty
        # Whatever the weights are here, the job that reads them has its own.
        changed = msgspec.structs.replace(settings, zero_weight="learn", user_per_minute=0)
        self._decoder, preset = Decoder(changed), settings.preset
        own = own_form(changed)
        self._own = Decoder(own) if own is not changed else None
        self._own_fields = [field for field in registered() if field in own.preset.fields]
        self._names = {word.lower(): kind for word, kind in preset.types.items()}
        self._default = preset.default_type or None
        self._same: dict[str, str] = {}  # one string for an id, however often it comes
        self.received = self.ignored = self.untimed = 0
        self.first = ""
        self.users: list[str] = []
        self._items: list[str] = []
        self._ids: list[str] = []
        self._types: list[str | None] = []
        self._times: list[NDArray[np.int64]] = []
        self._values: list[NDArray[np.float64]] = []
        self._more: dict[str, list[Any]] = {
            field: [] for field in registered() if field in preset.fields
        }

    def add(self, block: Block) -> None:
        """Add the events of a block of lines: of CSV, those of kind `event` between them too."""
        own = self._own and {*by_kind(block.lines).get(EVENT.name, ())}
        if not own:
            self._add(block, self._decoder)
            return
        assert self._own is not None
        for field in self._own_fields:
            self._more.setdefault(field, [None] * len(self.users))
        begin = 0
        for between, run in groupby(range(len(block.lines)), own.__contains__):
            end = begin + len([*run])
            part = Block(block.path, block.first + begin, block.lines[begin:end])
            self._add(part, self._own if between else self._decoder)
            begin = end

    def _add(self, block: Block, decoder: Decoder) -> None:
        """Add the events of lines of one form."""
        raw = decoder.read(block.lines, block.files)
        found = decoder.check(raw, self._now)
        self.received += found.received
        self.ignored += found.ignored
        good = np.ones(len(raw.rows), np.bool_)
        good[list(raw.problems)] = False
        if found.rejected and not self.first:
            bad = found.rejected[0]
            self.first = f"{block.path}, line {block.first + bad.index:,}: {bad.detail}"
        counts = found.weights != 0 if self._weighty else np.ones(len(found), np.bool_)
        given = (time is not None for time in compress(raw.times, good))
        timed = np.fromiter(given, np.bool_, len(found))
        self.untimed += int((counts & ~timed).sum())
        kept = counts & timed
        same = self._same.setdefault
        self.users += [same(name, name) for name in compress(found.users, kept)]
        self._items += [same(name, name) for name in compress(found.items, kept)]
        self._ids += compress(found.ids, kept)
        for word in compress(compress(raw.types, good), kept):
            text = str(word)
            kind = self._default if word is None else self._names.get(text.strip().lower(), text)
            self._types.append(kind and same(kind, kind))
        for field, column in self._more.items():
            column += compress(_given(registered()[field], found), kept)
        self._times.append(found.ts[kept])
        self._values.append(raw.values[good][kept])

    def by_time(self) -> Recording:
        """All of them in order of time."""
        ts = np.concatenate(self._times)
        order = np.argsort(ts, kind="stable")
        at = order.tolist()
        return Recording(
            ts=ts[order],
            users=[self.users[n] for n in at],
            items=[self._items[n] for n in at],
            types=[self._types[n] for n in at],
            values=np.concatenate(self._values)[order],
            ids=[self._ids[n] for n in at],
            left_out=self.received - self.ignored - len(self.users),
            more={field: [column[n] for n in at] for field, column in self._more.items()},
        )


def _given(column: Column, found: Decoded) -> list[Any]:
    """The values of a column of each event, None where it has the fill."""
    fill, values = column.fill, found.column(column.name)
    entries = values if isinstance(values, list) else values.tolist()
    return [None if entry == fill or entry != entry else entry for entry in entries]
