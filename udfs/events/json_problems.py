"""What is wrong with a field of a decoded JSON object, and numbers that are written as text.

In: an object of the json module, and where a field's value is in it. Out: a `Problem`, or None.
"""

from __future__ import annotations

import math
from typing import Any

from udfs.events.columns import IDS, SESSION, Holds
from udfs.events.places import field_of, holds_of
from udfs.events.raw_columns import Problem, has_utf8, not_an_id, shown
from udfs.events.times import NUMBER


class HugeInt:
    """Placeholder for an integer with more digits than Python converts."""


HUGE = HugeInt()


class Where:
    """Where a field's value is in an object: a path that may go through the first element of a
    list.

    Args:
        slot: see `udfs.events.places.slots`. required: whether it must be there.
        floats: whether ids may be floats.
    """

    def __init__(
        self, slot: str, place: str, *, required: bool = False, floats: bool = False
    ) -> None:
        self.field, self.place, self.holds = field_of(slot), place, holds_of(slot)
        self.floats = floats and self.field in IDS
        self.required = required
        self.keys = [(key.removesuffix("[]"), key.endswith("[]")) for key in place.split(".")]

    def value(self, event: Any, *, of_list: bool = False) -> Any:
        """The value; None if it is not there. of_list: the list that the path ends with."""
        for depth, (key, listed) in enumerate(self.keys):
            event = event.get(key) if isinstance(event, dict) else None
            if listed and not (of_list and depth == len(self.keys) - 1):
                event = event[0] if isinstance(event, list) and event else None
        return event


def problem_of(event: dict[str, Any], where: Where) -> Problem | None:
    """What is wrong with one field of an object; None if nothing is."""
    value: Any = event
    for depth, (key, listed) in enumerate(where.keys):
        path = ".".join(name for name, _ in where.keys[:depth])
        if not isinstance(value, dict):
            return "wrong_type", f"{path!r} is {kind_of(value)}, not an object"
        value = value.get(key)
        if listed and value is not None:
            if not isinstance(value, list):
                path = ".".join(name for name, _ in where.keys[: depth + 1])
                return "wrong_type", f"{path!r} is {kind_of(value)}, not an array"
            value = value[0] if value else None
        if value is None:
            if not where.required:
                return None
            return f"missing_{where.field}", f"the line has no {where.place!r}"
    if where.field in ("only", SESSION):
        return None
    name = f"the {where.field} ({where.place!r})"
    if isinstance(value, bool | dict | list):
        return "wrong_type", f"{name} is {kind_of(value)}"
    if where.holds in ("number", "whole"):
        return _number_problem(value, name, where.holds)
    if isinstance(value, float) and where.floats:
        return None
    return _text_problem(value, name, where.holds)


def _text_problem(value: Any, name: str, holds: Holds) -> Problem | None:
    if value is HUGE:
        reason = {"time": "time_out_of_range", "word": "wrong_type"}.get(holds, "id_too_long")
        return reason, f"{name} is an integer of thousands of digits"
    if isinstance(value, str):
        if not has_utf8(value):
            return "not_utf8", f"{name} {shown(value)} has half of a surrogate pair"
        return None
    if isinstance(value, float):
        if holds == "text":
            return "wrong_type", f"{name} is {not_an_id(value)}"
        if holds != "time":
            return "wrong_type", f"{name} is {value!r}: a type is a string or an integer"
        if not math.isfinite(value):
            return "not_finite", f"{name} is not a finite number"
    return None


def _number_problem(value: Any, name: str, holds: Holds) -> Problem | None:
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return None
        if not NUMBER.fullmatch(text) or (holds == "whole" and not _is_whole(text)):
            what = "a whole number" if holds == "whole" else "a number"
            return "wrong_type", f"{name} is the string {shown(value)}, not {what}"
        value = text if holds == "whole" else float(text)
    if holds == "whole":
        if value is HUGE or (isinstance(value, str) and len(value) > _MOST_DIGITS):
            return "value_out_of_range", f"{name} is an integer of thousands of digits"
        if isinstance(value, int | str):
            return None
        return "wrong_type", f"{name} is {shown(value)}, not a whole number"
    try:
        finite = value is not HUGE and math.isfinite(value)
    except OverflowError:  # an integer above 1.8e308
        finite = False
    return None if finite else ("not_finite", f"{name} is not a finite number")


_MOST_DIGITS = 1000
_MOST = 10**300
"""Integers below it are floats too."""


def _is_whole(text: str) -> bool:
    return text.lstrip("+-").isdigit()


def mend(event: dict[str, Any], where: Where) -> None:
    """Replace a number that is written as text, and has no problem, by the number."""
    above: Any = event
    for key, listed in where.keys[:-1]:
        above = above.get(key) if isinstance(above, dict) else None
        if listed:
            above = above[0] if isinstance(above, list) and above else None
    key, listed = where.keys[-1]
    if not isinstance(above, dict) or listed:
        return
    value = above.get(key)
    if isinstance(value, str):
        if _number_problem(value, "", where.holds) is None:
            number = int if where.holds == "whole" else float
            above[key] = number(value.strip()) if value.strip() else None
    elif isinstance(value, int) and not isinstance(value, bool) and where.holds == "number":
        above[key] = float(value) if abs(value) < _MOST else value


def kind_of(value: object) -> str:
    """The JSON kind of a decoded value, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "an array"
    return "a string" if isinstance(value, str) else "a number"
