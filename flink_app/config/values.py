"""One value on its way into the tree: from a TOML document, a variable or a `--set`.

In: an `Option`, a value (`object` out of TOML, or `str` out of the shell) and where it came from.
Out: the value in the option's type, or a ConfigError that says what is allowed.
"""

from __future__ import annotations

import math
from datetime import date, datetime, time
from typing import Any

import msgspec
from msgspec import inspect

from flink_app.config.masking import masked
from flink_app.config.registry import Option, allowed
from udfs.errors import ConfigError


def from_text(option: Option, text: str, *, entry: str = "") -> object:
    """What a variable or a `--set` means: a TOML value, otherwise a bare word.

    A text option takes the characters as they are, unless they are quoted; a list takes a bare
    word as its only element. `entry` names one entry of a table option.

    >>> from flink_app.config.registry import OPTIONS
    >>> from_text(OPTIONS["source.topic"], "2024"), from_text(OPTIONS["source.poll_ms"], "50")
    ('2024', 50)
    >>> from_text(OPTIONS["source.paths"], "data/u.data")
    ['data/u.data']
    """
    value = toml_or_text(text)
    kind = option.kind
    if entry and isinstance(kind, inspect.DictType):
        kind = kind.value_type
    if isinstance(kind, (inspect.StrType, inspect.LiteralType)):
        return value if isinstance(value, str) else text
    if isinstance(kind, inspect.ListType) and not isinstance(value, list):
        word = value if isinstance(value, str) else text  # such as a folder called 2024
        # One that begins with a bracket is a list whose quotes the shell has removed.
        return [word] if word[:1] != "[" else word
    return value


def toml_or_text(text: str) -> object:
    """A value in TOML; any other text is itself."""
    try:
        document = msgspec.toml.decode(f"value = {text}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError):  # the latter: a path that is not UTF-8
        return text
    # More than one key: the text contains a line end and another assignment.
    return document["value"] if len(document) == 1 else text


def checked(option: Option, value: object, origin: str) -> Any:
    """`value` in the option's own type.

    Tables may be nested (TOML reads `security.protocol = "SSL"` so): their keys are joined with
    dots. A table of texts takes numbers, true and false too, as Flink and Kafka write them.

    Raises:
        ConfigError: a wrong type or out of range; names the option, the value, its origin.
    """
    if not option.is_table:
        return _convert(option.name, option.type, option.kind, value, origin)
    if not isinstance(value, dict):
        raise _refused(option.name, option.kind, value, origin)
    assert isinstance(option.kind, inspect.DictType)
    of_texts = isinstance(option.kind.value_type, inspect.StrType)
    entries = {}
    for key, entry in _flat(value).items():
        given = _as_text(entry) if of_texts else entry
        entries[key] = _convert(
            f"{option.name}.{key}", option.entry_type, option.kind.value_type, given, origin
        )
    return entries


def _flat(table: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[before + key] = value
    return flat


def _as_text(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, (int, float)) else value


def _convert(name: str, type_: Any, kind: inspect.Type, value: object, origin: str) -> Any:
    if isinstance(value, (date, time)) and isinstance(kind, inspect.StrType):
        value = value.isoformat()  # TOML has dates; here they are texts
    try:
        result = msgspec.convert(value, type_)
    except msgspec.ValidationError:
        raise _refused(name, kind, value, origin) from None
    if isinstance(result, float) and not math.isfinite(result):
        raise _refused(name, kind, value, origin)
    return result


def _refused(name: str, kind: inspect.Type, value: object, origin: str) -> ConfigError:
    return ConfigError(
        f"{name} is {masked(name, toml(value))} (from {origin}): it must be {allowed(kind)}."
    )


def toml(value: object) -> str:
    """A value as TOML writes it, on one line.

    >>> toml(["a", 1, True, {"b": 0.5}])
    '["a", 1, true, {"b" = 0.5}]'
    """
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # A JSON string is a TOML basic string, once DEL is escaped too.
            written = value.encode(errors="backslashreplace").decode()  # a path may be no UTF-8
            return msgspec.json.encode(written).decode().replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case dict():
            return (
                "{" + ", ".join(f"{toml(key)} = {toml(item)}" for key, item in value.items()) + "}"
            )
        case datetime() | date() | time():
            return value.isoformat()
    return str(value)
