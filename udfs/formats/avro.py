"""Reads and writes Avro by `fastavro`.

In: schemas of the registry, bytes. Out: dictionaries as of JSON, with dates, `Decimal`s, UUIDs and
bytes where the schema has them; or an exception of any kind, which means that the bytes are not of
the schema.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from udfs.formats.schema import RegisteredSchema, Unfit

_NESTED = "record", "error"
_VALUE = "millirec_value"
_MOST_FREE = 100  # values that take no bytes, in a record: each byte of an array may bring as many


def reader(schema: RegisteredSchema) -> Callable[[bytes], Any]:
    """What reads a value of a schema.

    Raises:
        Unfit: the schema is none, or a few bytes of it could need any amount of memory.

    >>> text = '{"type":"record","name":"E","fields":[{"name":"user","type":"string"}]}'
    >>> reader(RegisteredSchema("avro", text))(b"\\x06ann")
    {'user': 'ann'}
    """
    from fastavro import parse_schema, schemaless_reader

    try:
        known: dict[str, Any] = {}
        for text in schema.references.values():
            parse_schema(msgspec.json.decode(text), named_schemas=known)
        # In a record, which takes no bytes of its own: the union or name that a schema may be does
        # not keep what it refers to.
        own = {"name": _VALUE, "type": msgspec.json.decode(schema.text)}
        whole = {"type": "record", "name": _VALUE, "fields": [own]}
        parsed: Any = parse_schema(whole, named_schemas=known)
    except Exception as error:
        raise Unfit(f"it cannot be parsed: {error}") from error
    _Check(known).free(parsed)

    def read(body: bytes) -> Any:
        stream = io.BytesIO(body)
        found: Any = schemaless_reader(stream, parsed, None)
        if left := len(body) - stream.tell():
            raise ValueError(f"{left} bytes are left at its end")
        return found[_VALUE]

    return read


def writer(text: str) -> Callable[[Any], bytes]:
    """What writes a value of a schema, given as a dictionary."""
    from fastavro import parse_schema, schemaless_writer

    parsed = parse_schema(msgspec.json.decode(text))

    def write(value: Any) -> bytes:
        stream = io.BytesIO()
        schemaless_writer(stream, parsed, value)
        return stream.getvalue()

    return write


class _Check:
    """Whether values of a schema can be read whatever their bytes are.

    Args:
        known: the named types that it may refer to.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known, self._done = known, dict[str, tuple[bool, int]]()
        self._above: list[str] = []

    def free(self, schema: Any) -> tuple[bool, int]:
        """Whether a value may take no bytes; and how many values that take none are in it, or are
        it, besides those of arrays and maps, whose elements are looked at by themselves.

        Raises:
            Unfit: it may hold itself, which a few thousand bytes nest so deep that fastavro ends
                the process; its arrays can have a billion elements in five bytes; or a record has
                too many values for nothing.
        """
        if isinstance(schema, list):
            return False, max((self.free(branch)[1] for branch in schema), default=0)
        if isinstance(schema, str):
            if schema in self._known:
                return self.free(self._known[schema])
            return schema == "null", int(schema == "null")
        kind = schema["type"]
        if kind in _NESTED:
            return self._record(schema)
        if kind == "array" and self.free(schema["items"])[0]:
            raise Unfit("it has an array of what takes no bytes, which can be of any length")
        if kind == "map":
            self.free(schema["values"])
        if kind == "fixed":
            return schema["size"] == 0, int(schema["size"] == 0)
        return self.free(kind) if not isinstance(kind, str) or kind == "null" else (False, 0)

    def _record(self, schema: Any) -> tuple[bool, int]:
        name = schema["name"]
        if name in self._above:
            raise Unfit(f"{name} may hold itself, and can be nested too deeply to be read")
        if name not in self._done:
            self._above.append(name)
            inside = [self.free(one["type"]) for one in schema["fields"]]
            empty = all(nothing for nothing, _ in inside)
            count = empty + sum(values for _, values in inside)
            if count > _MOST_FREE:
                raise Unfit(f"{name} has more than {_MOST_FREE} values that take no bytes")
            self._done[name] = empty, count
            self._above.pop()
        return self._done[name]
