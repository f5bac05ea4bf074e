"""Values of Avro as dictionaries: logical types, references, and schemas that are too dangerous."""

from __future__ import annotations

import io
import json
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from fastavro import parse_schema, schemaless_writer
from hypothesis import given
from hypothesis import strategies as st

from udfs.formats.avro import reader, writer
from udfs.formats.schema import RegisteredSchema, Unfit

TEXTS = {"type": "array", "items": "string"}


def record(name: str, **fields: Any) -> dict[str, Any]:
    """A schema."""
    types = [{"name": field, "type": kind} for field, kind in fields.items()]
    return {"type": "record", "name": name, "fields": types}


def registered(schema: Any, **references: Any) -> RegisteredSchema:
    others = {name: json.dumps(one) for name, one in references.items()}
    return RegisteredSchema("avro", json.dumps(schema), others)


def written(schema: Any, value: Any) -> bytes:
    """The bytes of a value, by fastavro's own writer."""
    stream = io.BytesIO()
    schemaless_writer(stream, parse_schema(schema), value)
    return stream.getvalue()


def test_logical_types() -> None:
    def logical(kind: str, name: str, **more: int) -> dict[str, Any]:
        return {"type": kind, "logicalType": name, **more}

    schema = record(
        "E",
        at=logical("long", "timestamp-millis"),
        fine=logical("long", "timestamp-micros"),
        day=logical("int", "date"),
        price=logical("bytes", "decimal", precision=6, scale=2),
        id=logical("string", "uuid"),
        kind={"type": "enum", "name": "K", "symbols": ["view", "buy"]},
        tags={"type": "map", "values": "boolean"},
    )
    value = {
        "at": datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=timezone.utc),
        "fine": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=timezone.utc),
        "day": date(2026, 1, 2),
        "price": Decimal("29.50"),
        "id": UUID(int=7),
        "kind": "buy",
        "tags": {"a": True},
    }
    assert reader(registered(schema))(written(schema, value)) == value


@given(st.text(), st.one_of(st.none(), st.floats(allow_nan=False)), st.lists(st.text()))
def test_what_is_written_is_read(user: str, value: float | None, tags: list[str]) -> None:
    schema = record("E", user="string", value=["null", "double"], tags=TEXTS)
    found = {"user": user, "value": value, "tags": tags}
    body = writer(json.dumps(schema))(found)
    assert reader(registered(schema))(body) == found
    with pytest.raises(ValueError, match="1 bytes are left"):
        reader(registered(schema))(body + b"\0")
    with pytest.raises((EOFError, IndexError, ValueError)):
        reader(registered(schema))(body[:-1])


@given(st.binary(max_size=64))
def test_any_bytes_are_a_value_or_an_exception(body: bytes) -> None:
    optional = {"type": "map", "values": ["null", "bytes"]}
    read = reader(registered(record("E", user="string", tags=TEXTS, more=optional)))
    try:
        found = read(body)
    except Exception:
        return
    assert isinstance(found["user"], str) and isinstance(found["tags"], list)


def test_a_schema_may_refer_to_others_also_in_a_union() -> None:
    place = {**record("Place", city="string"), "namespace": "shop"}
    click = {**record("Click", user="string", at="shop.Place"), "namespace": "shop"}
    both = registered(["shop.Click", "shop.Place"], Place=place, Click=click)
    assert reader(both)(b"\x00\x06ann\x04NY") == {"user": "ann", "at": {"city": "NY"}}
    assert reader(both)(b"\x02\x04NY") == {"city": "NY"}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        (record("N", next=["null", "N"]), "N may hold itself"),
        (record("N", all={"type": "array", "items": "N"}), "N may hold itself"),
        (record("N", all={"type": "map", "values": record("M", n="N")}), "N may hold itself"),
        ({"type": "array", "items": "null"}, "takes no bytes"),
        ({"type": "array", "items": record("E")}, "takes no bytes"),
        ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 0}}, "takes no bytes"),
        (record("X", a="nothing"), "cannot be parsed"),
    ],
)
def test_a_schema_by_which_few_bytes_end_a_process_is_unfit(schema: Any, why: str) -> None:
    with pytest.raises(Unfit, match=why):
        reader(registered(schema))


def doubled(depth: int, **fields: Any) -> Any:
    """A record of two of the next record, and so on; in the last are the fields."""
    schema: Any = record("R0", **fields)
    for n in range(1, depth):
        schema = record(f"R{n}", a=schema, b=f"R{n - 1}")
    return schema


NOTHING = {"type": "fixed", "name": "F", "size": 0}


@pytest.mark.parametrize(
    "schema",
    [
        doubled(17, a="null"),
        doubled(30, a="null"),
        doubled(17),
        doubled(17, a=NOTHING),
        doubled(17, a="null", b="int"),
        {"type": "array", "items": record("E", a="int", b=doubled(17, a="null"))},
        ["int", doubled(17, a={"type": "null"})],
        record("W", **{f"f{n}": "null" for n in range(101)}),
    ],
)
def test_a_schema_by_which_no_bytes_make_many_values_is_unfit(schema: Any) -> None:
    with pytest.raises(Unfit, match="values that take no bytes"):
        reader(registered(schema))


def test_a_few_values_that_take_no_bytes_are_fit() -> None:
    one = record("E", a="null", b=record("Empty"), c="int")
    assert reader(registered({"type": "array", "items": one}))(b"\x02\x04\0") == [
        {"a": None, "b": {}, "c": 2}
    ]
    assert reader(registered(doubled(4, a="null")))(b"")["a"]["a"]["b"] == {"a": None}


def test_a_schema_of_many_names_is_looked_at_once_each() -> None:
    """Each of 40 records has the next twice: a look at every path would never end."""
    reader(registered(doubled(40, a="int")))


def test_a_schema_that_is_none() -> None:
    with pytest.raises(Unfit, match="cannot be parsed"):
        reader(RegisteredSchema("avro", "{"))


def test_what_is_named_twice_but_does_not_hold_itself_is_fit() -> None:
    point = record("P", x="int")
    schema = record("L", a=point, b="P", c={"type": "array", "items": "P"})
    assert reader(registered(schema))(b"\x02\x04\x02\x06\0")["c"] == [{"x": 3}]
