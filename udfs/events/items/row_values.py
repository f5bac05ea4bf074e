"""Values of a database's rows, as Debezium and Kafka Connect write them in JSON, made readable.

In: a row, and the schema of its columns if the message has one. Out: the row with decimals as
numbers, days and times as ISO 8601, JSON decoded, and without columns whose value was not sent.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal, DecimalException
from typing import Any

import msgspec

_NOT_SENT = "__debezium_unavailable_value"
# What stands for the value of a column that PostgreSQL keeps out of line (TOAST) and that did not
# change: in a text, and in bytes; in an array each element is so.
_UNAVAILABLE = {_NOT_SENT, b64encode(_NOT_SENT.encode()).decode()}
_SINCE = datetime(1970, 1, 1)
_MONGO_PLAIN = ("$oid", "$numberDecimal", "$numberLong", "$numberInt", "$numberDouble", "$uuid")
_MOST_DIGITS = 400  # of a number in base64, whose conversion takes the square of its length
_MONGO_DEPTH = 4  # what is deeper stays as it is

Schema = Mapping[str, Any]
"""A schema of Kafka Connect, as the JSON converter writes it."""


def readable(row: Mapping[str, Any], schema: Schema | None = None) -> dict[str, Any]:
    """The columns of a row whose values are known.

    >>> field = {"field": "price", "name": "org.apache.kafka.connect.data.Decimal",
    ...          "parameters": {"scale": "2"}}
    >>> readable({"price": "A7Y=", "text": "__debezium_unavailable_value"}, {"fields": [field]})
    {'price': 9.5}
    """
    types = _types(schema)
    sent = ((name, value) for name, value in row.items() if _is_sent(value))
    return {name: _read(value, types.get(name)) for name, value in sent}


def document(text: str) -> Any:
    """A document of MongoDB, whose connector sends it as a text of Extended JSON; what is no JSON
    as it is.

    >>> document('{"_id":{"$oid":"64"},"price":{"$numberDecimal":"9.5"},"at":{"$date":0}}')
    {'_id': '64', 'price': '9.5', 'at': '1970-01-01T00:00:00.000Z'}
    """
    try:
        return _plain(msgspec.json.decode(text), _MONGO_DEPTH)
    except (ValueError, RecursionError):  # of JSON, or of a number with thousands of digits
        return text


def _is_sent(value: Any) -> bool:
    parts = value if isinstance(value, list) and value else [value]
    return not all(isinstance(part, str) and part in _UNAVAILABLE for part in parts)


def _types(schema: Schema | None) -> dict[str, Schema]:
    """The schemas of a row's columns by name; those without a name of their own need no reading."""
    fields = schema.get("fields") if schema else None
    if not isinstance(fields, list):
        return {}
    named = (one for one in fields if isinstance(one, dict) and isinstance(one.get("name"), str))
    return {one["field"]: one for one in named if isinstance(one.get("field"), str)}


def _read(value: Any, type_: Schema | None) -> Any:
    """A value by its schema; one that does not fit it stays as it is."""
    if isinstance(value, dict) and value.keys() == {"scale", "value"}:  # a number of any scale
        return _decimal(value["value"], value["scale"])
    if value is None or type_ is None:
        return value
    name = type_["name"]
    if name == "org.apache.kafka.connect.data.Decimal":
        parameters = type_.get("parameters")
        return _decimal(value, parameters.get("scale") if isinstance(parameters, dict) else None)
    read = _READ.get(name)
    return read(value) if read else value


def _decimal(value: Any, scale: Any) -> Any:
    """The number v / 10^scale, of v as the base64 of a big-endian signed integer."""
    if not isinstance(value, str) or len(value) > _MOST_DIGITS:
        return value
    try:
        digits = int.from_bytes(b64decode(value, validate=True), "big", signed=True)
        places = int(scale)
        return float(Decimal(digits).scaleb(-places)) if places else digits
    except (TypeError, ValueError, OverflowError, binascii.Error, DecimalException):
        return value


def _time(per_ms: int) -> Callable[[Any], Any]:
    """Reads times since 1970 in a unit of which so many are a millisecond."""

    def read(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            return value
        try:
            moment = _SINCE + timedelta(milliseconds=value // per_ms)
        except OverflowError:  # before the year 1, or after 9999
            return value
        return f"{moment.isoformat(timespec='milliseconds')}Z"

    return read


def day(value: Any) -> Any:
    """A day, which is counted from 1970, as ISO 8601; anything else as it is.

    >>> day(20_000)
    '2024-10-04'
    """
    try:
        return (_SINCE + timedelta(days=value)).date().isoformat()
    except (TypeError, ValueError, OverflowError):
        return value


def _json(value: Any) -> Any:
    try:
        return msgspec.json.decode(value)
    except (msgspec.MsgspecError, TypeError, UnicodeEncodeError, RecursionError):
        return value


def _words(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


# https://debezium.io/documentation/reference/stable/connectors/postgresql.html#postgresql-data-types
_READ: dict[str, Callable[[Any], Any]] = {
    "io.debezium.time.Date": day,
    "org.apache.kafka.connect.data.Date": day,
    "io.debezium.time.Timestamp": _time(1),
    "org.apache.kafka.connect.data.Timestamp": _time(1),
    "io.debezium.time.MicroTimestamp": _time(1_000),
    "io.debezium.time.NanoTimestamp": _time(1_000_000),
    "io.debezium.data.Json": _json,
    "io.debezium.data.EnumSet": _words,
}


def _plain(value: Any, depth: int) -> Any:
    """A value of Extended JSON without the names of its types."""
    if isinstance(value, list) and depth:
        return [_plain(one, depth - 1) for one in value]
    if not isinstance(value, dict) or not depth:
        return value
    if len(value) == 1:
        ((name, inner),) = value.items()
        if name in _MONGO_PLAIN:
            return inner
        if name == "$date":
            inner = inner.get("$numberLong", inner) if isinstance(inner, dict) else inner
            digits = isinstance(inner, str) and inner.lstrip("-").isdecimal()
            return _READ["io.debezium.time.Timestamp"](int(inner) if digits else inner)
    return {name: _plain(one, depth - 1) for name, one in value.items()}
