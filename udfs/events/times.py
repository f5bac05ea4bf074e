"""Converts times as `udfs.events.decode` reads them from lines to milliseconds since 1970-01-01
UTC.

In: one column of numbers, strings or None, as read. Out: float64 of the same length; whole
milliseconds are exact in it up to the year 287,000.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timezone
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.events.time_formats import forms_of, number_as, read_as
from udfs.events.time_texts import LONGEST, text_to_ms

RawTime = int | float | str | None

NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A decimal number; unlike `float()` no underscores, "nan", "inf" or digits of other scripts."""

MISSING = frozenset({"nan", "nat", "none", "null", "\\n", "<na>"})
"""What pandas, R, Java and MySQL write for a value that is not there, in lower case."""


def to_ms(column: Sequence[RawTime], now_ms: int, form: str = "") -> NDArray[np.float64]:
    """Milliseconds of each entry, shape (n,); NaN where it is not a time, ±inf where it is out of
    range.

    The unit of a number, or of a string of digits, follows from its size: below 1e11 it is seconds
    (until the year 5138), below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds. Other
    strings are ISO 8601 or as `udfs.events.time_texts` reads them; without a zone they are UTC.
    None is `now_ms`.

    If `form` is given (see `udfs.events.time_formats`), all strings have it, and a number whose
    digits do not have it is as above.

    >>> to_ms([1661431896, 1661431896711, "2022-08-25T12:51:36.711Z", None, "soon"], 5).tolist()
    [1661431896000.0, 1661431896711.0, 1661431896711.0, 5.0, nan]
    """
    kinds = set(map(type, column)) if not form else set()
    try:
        if kinds and kinds <= {int, float}:
            return _by_size(np.array(column, dtype=np.float64))
        if kinds == {str} and _all_digits(column):  # type: ignore[arg-type]
            return _by_size(np.array(list(map(int, column)), dtype=np.float64))  # type: ignore[arg-type]
    except (OverflowError, ValueError):
        pass  # there is an integer of hundreds of digits: convert one by one
    known = {value: _read(value, now_ms, form) for value in set(column)}
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


def _read(value: RawTime, now_ms: int, form: str) -> tuple[float, bool]:
    """One entry as a number, and whether that is milliseconds already."""
    if value is None:
        return float(now_ms), True
    try:
        if not isinstance(value, str):
            named = number_as(value, form) if form else nan
            return (float(value), False) if named != named else (named, True)
    except OverflowError:
        return float("inf"), True
    text = value.strip()
    if form:
        return read_as(text[: LONGEST + 1], form), True
    if text[4:5] == "-" or not NUMBER.fullmatch(text):  # behind the year
        return text_to_ms(text[: LONGEST + 1]), True
    return float(text), False


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


def complaint(
    raw: RawTime,
    ms: float,
    earliest: int,
    latest: int,
    form: str = "",
    option: str = "source.time_format",
) -> tuple[str, str]:
    """Why a time cannot be used, given what `to_ms` made of it: a code and a sentence, which names
    the `option` that says how times are written; "": none does."""
    if isinstance(raw, str) and raw.strip().lower() in MISSING:
        return "bad_time", (
            "stands for a missing one: leave it empty, and the event gets the time at which it is "
            "read, or leave the event out"
        )
    forms = " or ".join(f'"{one}"' for one in forms_of(str(raw)))
    if ms != ms:
        what = "is neither a number nor ISO 8601"
        if not option:
            return "bad_time", f"{what}: write it as one of them"
        if form:
            what = f'is not written as {option} "{form}"'
        how = forms or 'the way it is written, such as "%d.%m.%Y %H:%M"'
        return "bad_time", f"{what}: set {option} to {how}"
    limit = f"before {iso_text(earliest)}" if ms < earliest else f"after {iso_text(latest)}"
    hint = f"; if its digits are a date, set {option} to {forms}" if forms and option else ""
    return "time_out_of_range", f"is {limit}{hint}"
