"""Converts times as `udfs.events.decode` reads them from lines to milliseconds since 1970-01-01
UTC.

In: one column of numbers, strings or None, as read. Out: float64 of the same length; whole
milliseconds are exact in it up to the year 287,000.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

RawTime = int | float | str | None

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A decimal number; unlike `float()` no underscores, "nan", "inf" or digits of other scripts."""

# Dates alone, or to the hour or the minute, which RFC 3339 leaves out and data sets use.
_SHORT = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


def to_ms(column: Sequence[RawTime], now_ms: int) -> NDArray[np.float64]:
    """Milliseconds of each entry, shape (n,); NaN where it is not a time, ±inf where it is out of
    range.

    The unit of a number, or of a string of digits, follows from its size: below 1e11 it is seconds
    (until the year 5138), below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. Other
    strings are ISO 8601; without a zone they are UTC. None is `now_ms`.

    >>> to_ms([1661431896, 1661431896711, "2022-08-25T12:51:36.711Z", None, "soon"], 5).tolist()
    [1661431896000.0, 1661431896711.0, 1661431896711.0, 5.0, nan]
    """
    kinds = set(map(type, column))
    try:
        if kinds <= {int, float}:
            return _by_size(np.array(column, dtype=np.float64))
        if kinds == {str} and _all_digits(column):  # type: ignore[arg-type]
            return _by_size(np.array(list(map(int, column)), dtype=np.float64))  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        pass  # there is an integer of hundreds of digits: convert one by one
    known = {value: _read(value, now_ms) for value in set(column)}
    numbers = np.array([known[value][0] for value in column], dtype=np.float64)
    ready = np.array([known[value][1] for value in column], dtype=np.bool_)
    return np.where(ready, numbers, _by_size(numbers))


def _all_digits(column: Sequence[str]) -> bool:
    joined = "".join(column)
    return joined.isascii() and joined.isdigit() and all(column)


def _by_size(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.abs(numbers)
    if numbers.size and size.min() >= 1e11 and size.max() < 1e14:  # true of live events
        factor: Any = 1.0
    else:
        factor = np.select([size < 1e11, size < 1e14, size < 1e17], [1e3, 1.0, 1e-3], 1e-6)
    milliseconds: NDArray[np.float64] = np.rint(numbers * factor)
    return milliseconds


def _read(value: RawTime, now_ms: int) -> tuple[float, bool]:
    """One entry as a number, and whether that is milliseconds already."""
    if value is None:
        return float(now_ms), True
    try:
        if not isinstance(value, str):
            return float(value), False
    except OverflowError:
        return float("inf"), True
    text = value.strip()
    if text[4:5] == "-":  # behind the year
        return _iso(text), True
    return (float(text), False) if NUMBER.fullmatch(text) else (float("nan"), True)


@lru_cache(maxsize=4096)
def _iso(text: str) -> float:
    """Milliseconds of an ISO 8601 time, NaN if it is none. Cached, because coarse times recur."""
    short = _SHORT.fullmatch(text) if text[16:17] != ":" else None
    if short:
        day, hour, minute, zone = short.groups()
        text = f"{day}T{hour or '00'}:{minute or '00'}:00{zone or ''}"
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return float("nan")
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return float(round(moment.timestamp() * 1000))


def iso_text(ms: float) -> str:
    """A time for people: ISO 8601 in UTC to the second, or the number itself if no date has it.

    >>> iso_text(1661431896711)
    '2022-08-25T12:51:36Z'
    """
    try:
        moment = datetime.fromtimestamp(ms // 1000, tz=timezone.utc)
    except (OverflowError, ValueError, OSError):
        return f"{ms:.6g} ms"
    return moment.isoformat().replace("+00:00", "Z")
