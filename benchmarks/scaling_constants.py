"""What large jobs cost by measurement, for `benchmarks.scaling`.

In: the JSON lines of `benchmarks.batches` and `benchmarks.feed`. Out: `Constants`; without a
measurement, those of docs/performance.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.batches import line

_USER = ("learn", "rank", "redis", "step")  # of a batch, what the user learner spends
_AT_ONCE = 8  # of a batch's events the ranker learns from no more (`udfs.learning.allowance`)


class Constants(msgspec.Struct, frozen=True, kw_only=True):
    """Measured on one machine; times are CPU time.

    Attributes:
        batches: by `benchmarks.batches`, (events in a micro-batch, microseconds of the user
            learner): learning, lists, their writing and the step around them, without training the
            ranker. trained: in addition, for each event that the ranker learns from.
        message_us, change_us: of an item learner, for each message, and for each event that
            concerns it, if it applies a hundred messages as one.
        crossing_us: of Flink, to pass an element to Python (docs/decisions).
        parse_us: for an event, including Flink's time to read it.
        read_us: of a user learner, for a kilobyte of the item feed.
        redis_us: of Redis, for an event. list_bytes: of a user's list in Redis, with its key.
        line_bytes, shuffled_bytes: of an event from Kafka, and between operators.
        rows, pair_rows: number of items whose row, and whose pairs, an event changes in the feed,
            in the largest catalogue that was measured.
    """

    batches: tuple[tuple[int, float], ...] = (
        (1, 894.0),
        (10, 1_883.0),
        (100, 6_093.0),
        (1000, 31_730.0),
    )
    trained: float = 135.0
    message_us: float = 3.0
    change_us: float = 2.8
    crossing_us: float = 35.0
    parse_us: float = 15.0
    read_us: float = 4.5
    redis_us: float = 7.0
    list_bytes: int = 1_280
    line_bytes: int = 80
    shuffled_bytes: int = 3_500
    rows: float = 5.25
    pair_rows: float = 0.38

    def batch_us(self, events: float, train: float) -> float:
        """Microseconds of a user learner's micro-batch, if the ranker learns from `train` events.

        >>> c = Constants(batches=((1, 100.0), (100, 1000.0)), trained=10.0)
        >>> round(c.batch_us(10.0, 0)), round(c.batch_us(10.0, 2)), round(c.batch_us(10.0, 50))
        (182, 202, 262)
        >>> c.batch_us(200.0, 0)  # beyond the measurements, proportional to events
        2000.0
        """
        sizes, spent = zip(*self.batches, strict=True)
        found = float(np.interp(events, sizes, spent) * max(1.0, events / sizes[-1]))
        return found + self.trained * min(train, events, _AT_ONCE)


def measured(batches: Path | None, feed: Path | None) -> Constants:
    """The constants with what two files hold, each the output of one benchmark.

    Args:
        batches, feed: what `benchmarks.batches` and `benchmarks.feed` printed, or None.
    """
    found: dict[str, Any] = {}
    if batches is not None:
        printed = _read(batches)
        found |= of_batches(printed["batches"], printed["messages"])
    if feed is not None:
        found |= of_feed(_read(feed))
    return msgspec.structs.replace(Constants(), **found)


def of_batches(rows: list[dict[str, Any]], messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The constants that batches and messages of `benchmarks.batches` measure.

    >>> some = {"learn": 1.0, "rank": 2.0, "redis": 3.0, "step": 4.0}
    >>> rows = [
    ...     {"size": 1, "trained": 0, **some},
    ...     {"size": 100, "trained": 0, **some, "learn": 91.0},
    ...     {"size": 100, "trained": 100, **some, "learn": 291.0},
    ... ]
    >>> found = of_batches(rows, [{"size": 1, "item": 101.0}, {"size": 100, "item": 200.0}])
    >>> found["batches"], found["trained"]
    (((1, 10.0), (100, 100.0)), 100.0)
    >>> round(found["message_us"], 3), round(found["change_us"], 3)
    (100.0, 1.0)
    """
    plain = [row for row in rows if not row["trained"]]
    spent = {row["size"]: sum(row[name] for name in _USER) for row in plain}
    # A batch of n events is one of 50 a second (`benchmarks.batches.cost`).
    extra = [
        (sum(row[name] for name in _USER) - spent[row["size"]])
        / min(row["trained"] / 50, row["size"], _AT_ONCE)
        for row in rows
        if row["trained"]
    ]
    message, change = line(messages, "item")
    return {
        "batches": tuple(sorted(spent.items())),
        "trained": round(max(float(np.median(extra)), 0.0), 1),
        "message_us": round(message, 1),
        "change_us": round(change, 2),
    }


def of_feed(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The constants that rows of `benchmarks.feed` measure, in the largest catalogue that is
    published without a limit.

    >>> some = {"bound": 1e6, "rows": 1.8, "pair_rows": 0.1, "message_bytes": 2_000,
    ...         "read_us_per_kb": 4.0}
    >>> many = some | {"items": 100_000, "rows": 5.3, "message_bytes": 3_400}
    >>> of_feed([{"items": 5_000} | some, many, many | {"bound": 4.0}])
    {'rows': 5.3, 'pair_rows': 0.1, 'shuffled_bytes': 3480, 'read_us': 4.0}
    """
    largest = max(rows, key=lambda row: (row["items"], row["bound"]))
    return {
        "rows": largest["rows"],
        "pair_rows": largest["pair_rows"],
        "shuffled_bytes": largest["message_bytes"] + Constants().line_bytes,
        "read_us": largest["read_us_per_kb"],
    }


def _read(path: Path) -> Any:
    """The JSON on the last line of a file."""
    return msgspec.json.decode(path.read_bytes().splitlines()[-1])
