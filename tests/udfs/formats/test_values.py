"""Values become lines of JSON, or say why not; one that cannot be read costs no other."""

from __future__ import annotations

import base64
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.formats.pretend import pretended
from tests.udfs.formats.test_avro import record
from udfs.formats import avro
from udfs.formats.registry import UnknownSchema
from udfs.formats.schema import RegisteredSchema
from udfs.formats.settings import ValueSettings
from udfs.formats.values import Values
from udfs.options.schema_registry import SchemaRegistry

DECIMAL = {"type": "bytes", "logicalType": "decimal", "precision": 5, "scale": 2}
TEXT = json.dumps(record("E", user="string", price=["null", DECIMAL]))
ANN = avro.writer(TEXT)({"user": "ann", "price": None})


AVRO = ValueSettings(events="avro")


class Schemas:
    """A registry; `asked`: for which ids."""

    def __init__(self, schemas: dict[int, RegisteredSchema]) -> None:
        self.schemas, self.asked = schemas, list[int]()

    def schema(self, number: int) -> RegisteredSchema:
        self.asked.append(number)
        if number not in self.schemas:
            raise UnknownSchema
        return self.schemas[number]


def framed(body: bytes, number: int = 1) -> bytes:
    return b"\0" + number.to_bytes(4, "big") + body


def given_as(value: bytes, head: str = "") -> str:
    """A value as Flink hands it over."""
    return f"{head}\n{value.decode('latin-1')}"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def values(settings: ValueSettings = AVRO, clock: Clock | None = None) -> tuple[Values, Schemas]:
    texts = [("avro", TEXT), ("json", "{}"), ("avro", "{")]
    schemas = Schemas({n: RegisteredSchema(*one) for n, one in enumerate(texts, 1)})
    registry: Any = schemas
    return Values(settings, registry, clock or Clock()), schemas


def test_values_become_lines_and_schemas_are_asked_for_once() -> None:
    read, schemas = values()
    lines, bad = read.lines([given_as(framed(ANN))] * 3)
    assert lines == ['{"user":"ann","price":null}'] * 3 and not bad
    priced = avro.writer(TEXT)({"user": "bob", "price": Decimal("29.5")})
    assert read.lines([given_as(framed(priced))])[0] == ['{"user":"bob","price":29.50}']
    assert schemas.asked == [1]


def test_what_is_no_value_of_a_schema() -> None:
    read, schemas = values()
    odd = {
        b"hello": "not_framed",
        b"\0\0\0\1": "not_framed",
        framed(ANN, 9): "unknown_schema",
        framed(ANN, 2): "unfit_schema",
        framed(ANN, 3): "unfit_schema",
        framed(ANN[:-1]): "unreadable_value",
        framed(b"\2\xff\0"): "unreadable_value",
        framed(ANN + b"\0"): "unreadable_value",
    }
    texts = [given_as(value) for value in [*odd, framed(ANN)]]
    for _ in range(2):
        lines, bad = read.lines(texts)
        assert lines == [""] * len(odd) + ['{"user":"ann","price":null}']
        assert [bad[place].reason for place in range(len(odd))] == list(odd.values())
        assert [base64.b64decode(one.value) for one in bad.values()] == list(odd)
        assert all(one.detail and "\n" not in one.detail for one in bad.values())
    assert schemas.asked == [9, 2, 3, 1], "each once"


def test_an_unknown_schema_is_asked_for_again_later() -> None:
    clock = Clock()
    read, schemas = values(clock=clock)
    text = given_as(framed(ANN, 5))
    assert read.lines([text, text])[1][1].reason == "unknown_schema"
    schemas.schemas[5] = RegisteredSchema("avro", TEXT)
    assert read.lines([text])[1] and schemas.asked == [5]
    clock.now = 11.0
    assert read.lines([text]) == (['{"user":"ann","price":null}'], {})


def test_json_in_between_tombstones_and_lines_of_other_sources() -> None:
    read, _ = values(ValueSettings(items="avro"))
    assert read.lines(["\0 as it is", "", "x\ny"]) == (["\0 as it is", "", "x\ny"], {})
    items = ['{"item":"ü"}'.encode(), b"", b'[{"a":1}]', framed(ANN)]
    lines, bad = read.lines([*map(given_as, items), "line"], {0, 1, 2, 3})
    assert lines == ['{"item":"ü"}', "", '[{"a":1}]', '{"user":"ann","price":null}', "line"]
    assert not bad


@given(st.text())
def test_the_key_and_the_time_of_a_message_are_fields_of_its_line(key: str) -> None:
    read, _ = values()
    head = json.dumps({"@key": key, "@time": 5})
    (line,), _ = read.lines([given_as(framed(ANN), head)])
    assert json.loads(line) == {"@key": key, "@time": 5, "user": "ann", "price": None}
    assert read.lines([given_as(b"", head)])[0] == [""], "a tombstone"
    assert read.lines([given_as(b"{}", head)])[0] == [head]
    assert read.lines([given_as(b"[7]", head)])[0] == ["[7]"]


@given(st.binary(max_size=40))
def test_nothing_raises(value: bytes) -> None:
    read, _ = values()
    lines, bad = read.lines([given_as(value)])
    assert len(lines) == 1 and (not bad or bad[0].reason)


@pytest.mark.parametrize("number", [0, 2**31 - 1])
def test_any_id(number: int) -> None:
    read, schemas = values()
    schemas.schemas[number] = RegisteredSchema("avro", TEXT)
    assert not read.lines([given_as(framed(ANN, number))])[1]


def test_an_id_that_no_registry_has_is_unknown_whatever_one_would_answer() -> None:
    with pretended() as there:
        there.failures.append((404, b"<html>"))
        settings = msgspec.structs.replace(AVRO, registry=SchemaRegistry(url=there.url))
        _, bad = Values(settings).lines([given_as(framed(ANN, 2**32 - 1))])
        assert bad[0].reason == "unknown_schema" and not there.asked
