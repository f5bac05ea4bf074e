"""The second attempt at a line of JSON that is not one good object: what is on it after all.

In: a line, and why msgspec refused it. Out: `Found`: the objects on it, which may be elements of an
array, follow one another, or be a line of a file that holds one array; and why the rest of it
cannot be used. Times and ids are not looked into here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from udfs.events.json_problems import HUGE, HugeInt, Where, kind_of, mend, problem_of
from udfs.events.json_types import Shape, values_of
from udfs.events.places import Only
from udfs.events.raw_columns import Problem

UNREADABLE = (msgspec.MsgspecError, UnicodeEncodeError, RecursionError)
"""What the decoder of a line may raise."""
_BOM = "\ufeff"
_BRACKETS = re.compile(r"\[?\s*,?\s*\]?\s*,?")
"""A line of a file that holds one array, without an object; or a blank one."""
_GAP = re.compile(r"[\s,]*")
_TOO_DEEP = "not_json", "the line nests arrays or objects too deeply to be read"
_NOT_READ = {"not_json", "not_an_object"}


class Found(msgspec.Struct):
    """What is on a line.

    Attributes:
        events: an object, which event of the line its first one is (−1: the whole line), and which
            element of the object's own list that is.
        rejected: why an event cannot be used, and which one it is.
        ignored: how many objects are about something else, or 1 if the line holds none.
    """

    events: list[tuple[Any, int, int]] = []
    rejected: list[tuple[Problem, int]] = []
    ignored: int = 0

    @property
    def count(self) -> int:
        """How many events the line counts as."""
        return len(self.events) + len(self.rejected) + self.ignored


class Again:
    """Reads lines by one mapping.

    Args:
        shape: how an object is decoded. where: where its values are.
        each: the list of elements, or "". only: decides whether an object is an interaction.
    """

    def __init__(self, shape: Shape, where: Sequence[Where], each: str, only: Only) -> None:
        self._shape, self._only, self._each = shape, only, each
        self._one = msgspec.json.Decoder(shape.event).decode
        self._many: Any = msgspec.json.Decoder(list[shape.event]).decode  # type: ignore[name-defined]
        self._where = where
        self._numbers = [one for one in where if one.holds in ("number", "whole")]
        self._finite = [one for one in where if one.holds in ("number", "time")]
        self._deciding = {place: Where("only", place) for place in only.places()}
        self._list = Where("only", each) if each else None
        self._scan = json.JSONDecoder(parse_int=_int, parse_constant=_constant).raw_decode

    def read(self, line: str, error: Exception) -> Found:
        """What is on a line; `error` is why it is not one good object."""
        text = line.strip().strip(_BOM).strip()
        text = _trimmed(text) if text else text
        if _BRACKETS.fullmatch(text):
            return Found(ignored=1)
        if isinstance(error, UnicodeEncodeError):
            why = "the line has half of a surrogate pair, which UTF-8 cannot write"
            return Found(rejected=[(("not_utf8", why), -1)])
        tried = text == line and text[0] == "{"
        found = (None if tried else self._typed(text)) or self._lines(text, every=True)
        if found:
            return found
        values = self._values(text)
        if not isinstance(values, tuple):
            return self._objects(values)
        return self._lines(text, every=False) or Found(rejected=[(values, -1)])

    def _typed(self, text: str) -> Found | None:
        """The objects on the line if msgspec reads them, which is the fastest way."""
        try:
            if text[0] != "[":
                return Found([(self._one(text), -1, 0)])
            events = self._many(text)
        except UNREADABLE:
            return None
        found, place = Found(), 0
        for event in events:
            found.events.append((event, place, 0))
            items = values_of(self._shape.each, [event])[0] if self._shape.each else None
            place += len(items) if items else 1
        return found

    def _lines(self, text: str, *, every: bool) -> Found | None:
        """The events of a message of several lines, if `every` one of them, or any, is readable."""
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) < 2:
            return None
        whole, readable = Found(), False
        for line in lines:
            try:
                found = Found([(self._one(line), -1, 0)])
            except UNREADABLE as error:
                if every:
                    return None
                found = self.read(line, error)
            readable = readable or not all(why[0] in _NOT_READ for why, _ in found.rejected)
            readable = readable or bool(found.events)
            begin = whole.count
            whole.events += [(one, begin + max(at, 0), n) for one, at, n in found.events]
            whole.rejected += [(why, begin + max(at, 0)) for why, at in found.rejected]
            whole.ignored += found.ignored
        return whole if readable else None

    def _values(self, text: str) -> list[Any] | Problem:
        """The JSON values on the line, one after the other, or why it is not JSON."""
        values: list[Any] = []
        at = 0
        try:
            while at < len(text):
                value, at = self._scan(text, at)
                values.append(value)
                gap = _GAP.match(text, at)
                at = gap.end() if gap else at
        except RecursionError:
            return _TOO_DEEP
        except ValueError as wrong:
            return "not_json", f"the line is not JSON: {wrong}"
        if len(values) > 1 and not all(isinstance(value, dict | list) for value in values):
            return "not_json", "the line is not JSON: more follows after its first value"
        return values

    def _objects(self, values: list[Any]) -> Found:
        found = Found()
        if len(values) == 1 and not isinstance(values[0], list):
            self._object(found, values[0], -1)
            return found
        for value in values:
            for element in value if isinstance(value, list) else [value]:
                self._object(found, element, found.count)
        return found if found.count else Found(ignored=1)

    def _object(self, found: Found, value: Any, at: int) -> None:
        """Add an object, `at` which place among the line's events it begins (−1: it is all)."""
        if not isinstance(value, dict):
            what = "the line" if at < 0 else f"element {at} of the line"
            detail = f"{what} is {kind_of(value)}, not an object"
            found.rejected.append((("not_an_object", detail), at))
            return
        for place, where in self._deciding.items():
            if not self._only.wants(place, where.value(value)):
                found.ignored += 1
                return
        items = self._list.value(value, of_list=True) if self._list else None
        if not isinstance(items, list) or not items:
            self._event_of(found, value, at, 0)
            return
        for number, item in enumerate(items):
            one = _with(value, self._each.removesuffix("[]").split("."), [item])
            self._event_of(found, one, max(at, 0) + number, number)

    def _event_of(self, found: Found, value: dict[str, Any], at: int, number: int) -> None:
        for where in self._numbers:
            mend(value, where)
        try:
            event = msgspec.convert(value, self._shape.event)
        except (msgspec.ValidationError, OverflowError) as error:
            problem = self._problem(value, self._where)
            other = "wrong_type", f"a field has the wrong type: {error}"
            found.rejected.append((problem or other, at))
            return
        problem = self._problem(value, self._finite)  # the json module reads infinity
        if problem:
            found.rejected.append((problem, at))
        else:
            found.events.append((event, at, number))

    def _problem(self, value: dict[str, Any], fields: Sequence[Where]) -> Problem | None:
        return next(filter(None, (problem_of(value, where) for where in fields)), None)


def _trimmed(text: str) -> str:
    """The text without what a line has of the array that its file holds: `[{…},` is `{…}`."""
    inner = text.rstrip(",").rstrip() if text[-1] == "," else text
    inner = inner.lstrip(",").lstrip() if inner[:1] == "," else inner
    if inner[:1] == "[" and inner[-1:] == "]":
        return inner
    inner = inner[1:].lstrip() if inner[:1] == "[" else inner
    inner = inner[:-1].rstrip() if inner[-1:] == "]" else inner
    return inner if inner[:1] == "{" and inner[-1:] == "}" else text


def _with(value: dict[str, Any], path: list[str], items: list[Any]) -> dict[str, Any]:
    """The object with another list at `path`."""
    first, *below = path
    return value | {first: _with(value[first], below, items) if below else items}


def _int(digits: str) -> int | HugeInt:
    try:
        return int(digits)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return HUGE


def _constant(name: str) -> float | None:
    """NaN, which pandas writes for what is missing, is no value; infinity stays one."""
    return None if name == "NaN" else float(name.replace("Infinity", "inf"))
