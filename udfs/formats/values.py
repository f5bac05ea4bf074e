"""Values in Confluent's wire format become lines of JSON, which all presets read.

In: values as text, each character a byte, as Flink hands binary values over, behind a line feed;
before that, where a mapping needs them, the key and the time of the message, as a line of JSON
(`flink_app/graph/record_keys.py`). Out: lines of JSON, and a `BadValue` for each value that cannot
become one.

    a zero byte, the id of the schema in four, for Protobuf which of its messages it is, the value

A value that begins with a brace or a bracket is JSON already, as in a topic that has changed its
format; an empty one stays empty.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Container, Sequence
from typing import Any, NamedTuple

import msgspec

from udfs.formats import avro, protobuf
from udfs.formats.packages import require_packages
from udfs.formats.registry import Registry, UnknownSchema
from udfs.formats.schema import RegisteredSchema, Unfit
from udfs.formats.settings import ValueSettings

_READERS = {"avro": avro.reader, "protobuf": protobuf.reader}
_ASK_AGAIN_S = 10.0
"""How long an id is taken as unknown: its schema may come a little later than the first value."""
_MOST_UNKNOWN = 10_000
_HEAD = 5  # bytes before the value, or the index of its message
_SHOWN = 200  # characters of an error's words
_json = msgspec.json.Encoder(decimal_format="number").encode
Read = Callable[[bytes], Any]


class BadValue(NamedTuple):
    """Why a value cannot be read, a stable code and a sentence; and the value, in base64."""

    reason: str
    detail: str
    value: str


class _Bad(Exception):
    """Why a value cannot be read."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


class Values:
    """Used by one thread.

    Args:
        registry: has the schemas; by default that of the settings. clock: seconds.

    Raises:
        ConfigError: a package is not installed, or a certificate cannot be read.
    """

    def __init__(
        self,
        settings: ValueSettings,
        registry: Registry | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        for option, name in ("source.format", settings.events), ("items.format", settings.items):
            if name:
                require_packages(option, name)
        self._events, self._items, self._clock = settings.events, settings.items, clock
        self._registry = registry or Registry(settings.registry)
        self._readers: dict[tuple[str, int], Read | _Bad] = {}
        self._unknown: dict[int, float] = {}

    def lines(
        self, texts: Sequence[str], items: Container[int] = ()
    ) -> tuple[list[str], dict[int, BadValue]]:
        """The lines of n values; waits for a registry that is away.

        Args:
            items: which of them, by their places from 0, are of the source of items.

        Returns:
            n lines, "" for those that cannot be read; and why, by place.

        Raises:
            ServiceError: the registry refuses.
        """
        lines: list[str] = []
        bad: dict[int, BadValue] = {}
        for place, text in enumerate(texts):
            value_format = self._items if place in items else self._events
            if not value_format:
                lines.append(text)
                continue
            head, _, binary = text.partition("\n")
            value = binary.encode("latin-1", "replace")
            try:
                lines.append(_with_head(head, self._line(value, value_format)))
            except _Bad as error:
                lines.append("")
                shown = base64.b64encode(value).decode()
                bad[place] = BadValue(error.reason, error.detail, shown)
        return lines, bad

    def _line(self, value: bytes, value_format: str) -> str:
        """The value as a line of JSON."""
        if value[:1] in (b"", b"{", b"["):
            return value.decode("utf-8", "replace")
        if value[0] or len(value) < _HEAD:
            raise _Bad(
                "not_framed",
                "the value does not begin with a zero byte and the id of a schema, as in "
                f"Confluent's wire format, in which {value_format} is expected",
            )
        number = int.from_bytes(value[1:_HEAD], "big")
        read = self._readers.get((value_format, number)) or self._found(value_format, number)
        if isinstance(read, _Bad):
            raise read
        try:
            return _json(read(value[_HEAD:])).decode()
        except Exception as error:  # of any kind, by what the bytes are taken for
            why = " ".join(f"{type(error).__name__}: {error}".split())[:_SHOWN]
            raise _Bad(
                "unreadable_value", f"the value is not of its schema, of id {number} ({why})"
            ) from None

    def _found(self, value_format: str, number: int) -> Read | _Bad:
        """What reads values of a schema, or why nothing does. A schema never changes its id."""
        now = self._clock()
        if now < self._unknown.get(number, now):
            return _unknown(number)
        try:
            schema = self._registry.schema(number)
        except UnknownSchema:
            if len(self._unknown) >= _MOST_UNKNOWN:
                self._unknown.clear()
            self._unknown[number] = now + _ASK_AGAIN_S
            return _unknown(number)
        found = self._readers[value_format, number] = _reader(schema, value_format, number)
        return found


def _unknown(number: int) -> _Bad:
    return _Bad("unknown_schema", f"the registry has no schema of id {number}")


def _reader(schema: RegisteredSchema, value_format: str, number: int) -> Read | _Bad:
    if schema.kind != value_format:
        return _Bad(
            "unfit_schema",
            f"the schema of id {number} is {schema.kind}, where {value_format} is expected",
        )
    try:
        return _READERS[value_format](schema)
    except (Unfit, RecursionError) as error:
        return _Bad("unfit_schema", f"the schema of id {number} cannot be used: {error}")


def _with_head(head: str, line: str) -> str:
    """A line of one object, with the key and the time of its message.

    >>> _with_head('{"@key":"a"}', '{"item":1}'), _with_head('{"@key":"a"}', "{}")
    ('{"@key":"a","item":1}', '{"@key":"a"}')
    """
    if not head or line[:1] != "{":
        return line
    return head if line == "{}" else f"{head[:-1]},{line[1:]}"
