"""The functions of an expression: what they take, and what they give.

In: the name of a function and the types of its arguments. Out: the function, and the type of its
result. What takes a condition (exists, all and so on) is in `compiler`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec

from udfs.rules.types import ANY, BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP, Type

Function = Callable[..., Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UNITS = {"d": 86_400_000.0, "h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0}
_DURATION = re.compile(r"-?(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")

CALLS = ("has", "size", "timestamp", "duration", "int", "double")
METHODS = ("contains", "startsWith", "endsWith", "lowerAscii", "size", "getFullYear")

_TEXTS: dict[str, Function] = {
    "contains": lambda text, part: part in text,
    "startsWith": lambda text, part: text.startswith(part),
    "endsWith": lambda text, part: text.endswith(part),
}


def find_call(name: str, types: list[Type]) -> tuple[Type, Function] | None:
    """The result's type and the function of `name(…)`; None if it does not take these types."""
    if len(types) != 1:
        return None
    given = types[0]
    if name == "size" and given.sort in ("string", "list", "map", "any"):
        return INT, _size
    if name in ("int", "double") and (given.is_number or given in (STRING, ANY)):
        return (INT, _whole) if name == "int" else (DOUBLE, float)
    if name == "timestamp" and given in (STRING, INT, ANY):
        return TIMESTAMP, time_of
    if name == "duration" and given in (STRING, ANY):
        return DURATION, duration_of
    return None


def find_method(name: str, types: list[Type]) -> tuple[Type, Function] | None:
    """The same of `….name(…)`; the first type is of what it is called on."""
    texts = all(given in (STRING, ANY) for given in types)
    if name in _TEXTS and len(types) == 2 and texts:
        function = _TEXTS[name]
        return BOOL, function if ANY not in types else _of_texts(function)
    if name == "lowerAscii" and len(types) == 1 and texts:
        lower = lambda text: text.translate(_LOWER)  # noqa: E731
        return STRING, lower if ANY not in types else _of_texts(lower)
    if name == "getFullYear" and types == [TIMESTAMP]:
        return INT, lambda ms: (_EPOCH + timedelta(milliseconds=ms)).year
    return find_call(name, types) if name == "size" else None


def _of_texts(function: Function) -> Function:
    def call(*values: object) -> object:
        if not all(isinstance(value, str) for value in values):
            raise TypeError(values)
        return function(*values)

    return call


def _size(value: Any) -> int:
    return len(value)


def _whole(value: Any) -> int:
    number = int(value)
    if abs(number) >= 2**63:
        raise OverflowError(number)
    return number


def time_of(value: Any) -> int:
    """A time in ms since 1970, of seconds or of a text such as 2026-01-31T12:00:00Z.

    Raises:
        ValueError: it is no time, or has no zone.

    >>> time_of("1970-01-01T00:00:01+00:00")
    1000
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value * 1000
    try:
        at = msgspec.convert(value, datetime) if isinstance(value, str) else None
    except msgspec.ValidationError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError("it must be a time with its zone, such as 2026-01-31T12:00:00Z.")
    return round(at.timestamp() * 1000)


def duration_of(value: object) -> float:
    """A duration in ms, of a text such as 1h30m or 7d.

    Raises:
        ValueError: it is no duration.

    >>> duration_of("1h30m"), duration_of("-7d")
    (5400000.0, -604800000.0)
    """
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("it must be a duration, such as 90s, 1h30m or 7d.")
    total = sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(value))
    return -total if value[0] == "-" else total
