"""Lines of JSON to columns: the first step of `udfs.events.decode` for JSON presets.

In: n lines, one object each. Out: `RawColumns`. A good line costs one typed msgspec decode;
only a line that fails is read again, without types, to find the actual reason.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec
import numpy as np

from udfs.events.columns import IDS, REQUIRED, Holds
from udfs.events.columns import fields as known_fields
from udfs.events.raw_columns import Problem, RawColumns, Rejected, has_utf8, not_an_id, shown

# To msgspec, neither booleans nor 17.0 are integers.
_TYPES: dict[Holds, Any] = {
    "text": str | int,
    "word": str | int,
    "time": int | float | str,
    "number": float,
    "whole": int,
}
_BOM = "\ufeff"


class _HugeInt:
    """Placeholder for an integer with more digits than Python converts."""


_HUGE = _HugeInt()


class JsonReader:
    """Reads lines of JSON by one mapping."""

    def __init__(self, fields: Mapping[str, str], *, floats: bool = False) -> None:
        """Compile a decoder.

        Args:
            fields: millirec's field → dotted path in the object.
            floats: whether ids may be floats.
        """
        self._paths = {field: path.split(".") for field, path in fields.items()}
        known = known_fields()
        self._holds = {field: known[field] for field in fields}
        self._floats = IDS if floats else ()  # fields of text that may be floats
        types = {
            field: str | int | float if field in self._floats else _TYPES[holds]
            for field, holds in self._holds.items()
        }
        tree: dict[str, Any] = {}
        for field, path in self._paths.items():
            branch = tree
            for key in path[:-1]:
                branch = branch.setdefault(key, {})
            branch[path[-1]] = field
        names: dict[str, str] = {}
        self._decode: Callable[[str], Any] = msgspec.json.Decoder(
            _struct(tree, "", names, types)
        ).decode
        self._getters = {field: attrgetter(name) for field, name in names.items()}

    def read(self, lines: Sequence[str]) -> RawColumns:
        """The columns of `lines`; the content of a line never makes it raise."""
        decode = self._decode
        events: list[Any] = []
        failed: set[int] = set()
        rejected: list[Rejected] = []
        for line in lines:
            try:
                events.append(decode(line))
            except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
                index = len(events) + len(failed)
                event = self._retry(line, index, error, rejected)
                if event is None:
                    failed.add(index)
                else:
                    events.append(event)
        n = len(lines)
        rows = [row for row in range(n) if row not in failed] if failed else range(n)
        return RawColumns(
            rows=rows,
            fields={field: self._column(field, events) for field in self._getters},
            problems={},
            rejected=rejected,
            ignored=len(failed) - len(rejected),
        )

    def _column(self, field: str, events: list[Any]) -> Any:
        getter = self._getters[field]
        try:
            values = list(map(getter, events))
        except AttributeError:  # some object on the way to an optional field is null
            values = [_get(getter, event) for event in events]
        if self._holds[field] == "number":
            return np.array(values, dtype=np.float64)  # None becomes NaN
        return values

    def _retry(
        self, line: str, index: int, error: Exception, rejected: list[Rejected]
    ) -> Any | None:
        """The event if a second attempt reads it; else None, and the line is rejected unless
        blank."""
        if not line.strip():
            return None
        if line.startswith(_BOM):
            try:
                return self._decode(line.lstrip(_BOM))
            except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as second:
                line, error = line.lstrip(_BOM), second
                if not line.strip():
                    return None
        reason, detail = self._diagnose(line, error)
        rejected.append(Rejected(reason, detail, index))
        return None

    def _diagnose(self, line: str, error: Exception) -> Problem:
        """Why `line` failed; `error` is msgspec's, used if no field is to blame."""
        if isinstance(error, UnicodeEncodeError):
            return "not_utf8", "the line has half of a surrogate pair, which UTF-8 cannot write"
        try:
            event = json.loads(line, parse_int=_int)
        except RecursionError:
            return "not_json", "the line nests arrays or objects too deeply to be read"
        except ValueError as wrong:
            return "not_json", f"the line is not JSON: {wrong}"
        if not isinstance(event, dict):
            return "not_an_object", f"the line is {_kind(event)}, not an object"
        for field, path in self._paths.items():
            holds = "float" if field in self._floats else self._holds[field]
            problem = _field_problem(event, field, path, holds)
            if problem:
                return problem
        if isinstance(error, msgspec.ValidationError):  # an earlier one of two equal keys
            return "wrong_type", f"a field has the wrong type: {error}"
        return "not_json", f"the line is not strict JSON: {error}"


def _get(getter: Callable[[Any], Any], event: Any) -> Any:
    try:
        return getter(event)
    except AttributeError:
        return None


def _struct(
    tree: Mapping[str, Any], prefix: str, names: dict[str, str], types: Mapping[str, Any]
) -> type[msgspec.Struct]:
    """A Struct for one level of the paths; `names` receives field → attribute path."""
    required: list[Any] = []
    optional: list[Any] = []
    rename: dict[str, str] = {}
    for number, (key, below) in enumerate(tree.items()):
        name = f"f{number}"
        rename[name] = key
        if isinstance(below, dict):
            inner = _struct(below, f"{prefix}{name}.", names, types)
            if any(field.required for field in msgspec.structs.fields(inner)):
                required.append((name, inner))
            else:
                optional.append((name, inner | None, msgspec.field(default_factory=inner)))
            continue
        names[below] = prefix + name
        if below in REQUIRED:
            required.append((name, types[below]))
        else:
            optional.append((name, types[below] | None, None))
    return msgspec.defstruct("Event", [*required, *optional], rename=rename, gc=False)


def _int(digits: str) -> int | _HugeInt:
    try:
        return int(digits)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        return _HUGE


def _field_problem(
    event: dict[str, Any], field: str, path: list[str], holds: Holds | Literal["float"]
) -> Problem | None:
    """What is wrong with one field of a decoded object; None if nothing is."""
    value: Any = event
    for depth, key in enumerate(path):
        if not isinstance(value, dict):
            where = ".".join(path[:depth])
            return "wrong_type", f"{where!r} is {_kind(value)}, not an object"
        value = value.get(key)
        if value is None:
            if field not in REQUIRED:
                return None
            return f"missing_{field}", f"the line has no {'.'.join(path)!r}"
    name = f"the {field} ({'.'.join(path)!r})"
    if isinstance(value, bool | dict | list):
        return "wrong_type", f"{name} is {_kind(value)}"
    if holds in ("number", "whole"):
        return _number_problem(value, name, holds)
    if value is _HUGE:
        reason = {"time": "time_out_of_range", "word": "wrong_type"}.get(holds, "id_too_long")
        return reason, f"{name} is an integer of thousands of digits"
    if isinstance(value, str):
        if not has_utf8(value):
            return "not_utf8", f"{name} {shown(value)} has half of a surrogate pair"
        return None
    if isinstance(value, float) and holds != "float":
        if holds == "text":
            return "wrong_type", f"{name} is {not_an_id(value)}"
        if holds != "time":
            return "wrong_type", f"{name} is {value!r}: a type is a string or an integer"
        if not math.isfinite(value):
            return "not_finite", f"{name} is not a finite number"
    return None


def _number_problem(value: Any, name: str, holds: Holds) -> Problem | None:
    if holds == "whole":
        if value is _HUGE:
            return "value_out_of_range", f"{name} is an integer of thousands of digits"
        if isinstance(value, int):
            return None
        return "wrong_type", f"{name} is {shown(value)}, not a whole number"
    if isinstance(value, str):
        return "wrong_type", f"{name} is the string {shown(value)}, not a number"
    try:
        finite = value is not _HUGE and math.isfinite(value)
    except OverflowError:  # an integer above 1.8e308
        finite = False
    return None if finite else ("not_finite", f"{name} is not a finite number")


def _kind(value: object) -> str:
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
