"""The objects on a line of JSON: usually one; an array of them, or several one behind the other.

In: a line. Out: its objects, and why the rest of it cannot be used.
"""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any

import msgspec

from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import Problem
from udfs.events.spread_json import objects

_decode = msgspec.json.Decoder().decode
_UNREADABLE = (msgspec.MsgspecError, UnicodeEncodeError, RecursionError)


def objects_of(line: str) -> list[dict[str, Any] | Problem | None]:
    """What is on a line, one after the other: objects, problems, or None for a null.

    A blank line, and a bracket of an array that a file holds, are nothing: [].
    """
    try:
        found = _decode(line)
    except _UNREADABLE:
        return _again(line)
    return [_object(found)] if not isinstance(found, list) else list(map(_object, found))


def _object(value: Any) -> dict[str, Any] | Problem | None:
    if isinstance(value, dict) or value is None:
        return value
    return "not_an_object", f"the line is {kind_of(value)}, not an object"


def _again(line: str) -> list[dict[str, Any] | Problem | None]:
    """The objects on a line that is not one JSON value for msgspec."""
    text = line.strip().strip("\ufeff").strip()
    if not text or text in "[]," or text in ("[,", "],"):
        return []
    return [_read(one) for one in chain.from_iterable(objects([[text]]))]


def _read(text: str) -> dict[str, Any] | Problem | None:
    """One value, as the json module reads it: with NaN, and with half surrogate pairs."""
    try:
        return _object(json.loads(text, parse_int=_int, parse_constant=_constant))
    except RecursionError:
        return "not_json", "the line nests arrays or objects too deeply to be read"
    except ValueError as error:
        return "not_json", f"the line is not JSON: {error}"


def _int(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return math.inf


def _constant(name: str) -> float | None:
    """NaN, which pandas writes for what is missing, is no value; infinity stays one."""
    return None if name == "NaN" else float(name.replace("Infinity", "inf"))
