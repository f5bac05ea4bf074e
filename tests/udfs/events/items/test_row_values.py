"""Values of rows are read by the schema of their columns; what was not sent is left out."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.items.row_values import day, document, readable

TIMES = "io.debezium.time."
DECIMAL = "org.apache.kafka.connect.data.Decimal"
EPOCH = datetime(1970, 1, 1)
moments = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))


def by(name: str, value: Any, **more: Any) -> Any:
    """A value of a column of the type `name`, read."""
    return readable({"c": value}, {"fields": [{"field": "c", "name": name, **more}]})["c"]


def decimal(unscaled: int) -> str:
    return b64encode(unscaled.to_bytes(unscaled.bit_length() // 8 + 1, "big", signed=True)).decode()


@given(st.integers(-(10**30), 10**30), st.integers(0, 12))
def test_decimals_are_numbers(unscaled: int, scale: int) -> None:
    sent = decimal(unscaled)
    expected = pytest.approx(unscaled / 10**scale, rel=1e-15)
    assert by(DECIMAL, sent, parameters={"scale": str(scale)}) == expected
    assert readable({"c": {"scale": scale, "value": sent}})["c"] == expected


def test_a_whole_number_keeps_all_of_its_digits() -> None:
    assert by(DECIMAL, decimal(10**24 + 1), parameters={"scale": "0"}) == 10**24 + 1


@given(moments)
def test_times_are_texts_that_say_the_same(moment: datetime) -> None:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    for name, unit in (("Timestamp", 1_000), ("MicroTimestamp", 1), ("NanoTimestamp", 0.001)):
        sent = int(micros // unit) if unit >= 1 else micros * 1_000
        text = by(TIMES + name, sent)
        read = datetime.fromisoformat(text.removesuffix("Z"))
        assert timedelta(0) <= moment - read < timedelta(milliseconds=1)
    days = (moment.date() - EPOCH.date()).days
    assert by(f"{TIMES}Date", days) == day(days) == moment.date().isoformat()


def test_json_and_sets_are_what_they_hold() -> None:
    assert by("io.debezium.data.Json", '{"litres":1.5}') == {"litres": 1.5}
    assert by("io.debezium.data.EnumSet", "red,steel") == ["red", "steel"]
    zoned = "2024-05-01T12:00:00Z"
    assert by(f"{TIMES}ZonedTimestamp", zoned) == zoned


@pytest.mark.parametrize(
    "value", [None, True, "?", "A7Y", "é", -(10**40), 10**40, 1e300, [], {"a": 1}, "A" * 10**6]
)
@pytest.mark.parametrize(
    "name",
    [
        DECIMAL,
        f"{TIMES}Date",
        f"{TIMES}NanoTimestamp",
        "io.debezium.data.Json",
        "io.debezium.data.EnumSet",
    ],
)
@pytest.mark.parametrize("parameters", [None, {}, {"scale": "x"}, {"scale": 10**9}, {"scale": -3}])
def test_what_does_not_fit_its_schema_stays(name: str, value: Any, parameters: Any) -> None:
    found = by(name, value, parameters=parameters)
    fits = name.endswith("EnumSet") or isinstance(value, bool) or value == "A7Y"
    assert found == value or fits


leaves: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
) | st.sampled_from(["--5", "9" * 5_000, "A7Y=", "__debezium_unavailable_value", 10**40, 1e300])
keys = st.sampled_from(
    ["$date", "$numberLong", "$oid", "scale", "value", "fields", "field", "name", "parameters"]
) | st.text(max_size=3)
types = st.sampled_from([DECIMAL, f"{TIMES}Date", f"{TIMES}Timestamp", "io.debezium.data.Json"])
nested: st.SearchStrategy[Any] = st.recursive(
    leaves | types,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)
columns = st.dictionaries(keys, nested, max_size=4)


@given(columns, columns | st.builds(lambda one: {"fields": one}, st.lists(columns, max_size=3)))
def test_nothing_raises(row: dict[str, Any], schema: dict[str, Any]) -> None:
    assert readable(row, schema).keys() <= row.keys()
    document(json.dumps(row))


def test_numbers_that_are_none_and_lists_in_lists_do_not_raise_either() -> None:
    for inner in ('{"$numberLong":"--5"}', f'"{"9" * 5_000}"', '"--5"', f'"-{"9" * 5_000}"'):
        text = f'{{"_id":"x","at":{{"$date":{inner}}}}}'
        assert document(text) == text
    for depth in (10, 600, 990, 5_000):
        value: Any = 1
        for _ in range(depth):
            value = [value]
        assert readable({"x": value})["x"] is value


@pytest.mark.parametrize("schema", [None, {}, {"fields": 5}, {"fields": [5, {"name": 1}]}])
def test_a_schema_that_is_none_changes_nothing(schema: Any) -> None:
    assert readable({"c": 5}, schema) == {"c": 5}


def test_what_was_not_sent_is_left_out() -> None:
    missing = "__debezium_unavailable_value"
    row = {
        "text": missing,
        "image": b64encode(missing.encode()).decode(),
        "tags": [missing],
        "none": [],
        "id": 7,
    }
    assert readable(row) == {"none": [], "id": 7}


def test_a_document_loses_the_names_of_its_types() -> None:
    text = (
        '{"_id":{"$oid":"64a"},"price":{"$numberDecimal":"9.50"},"stock":{"$numberLong":"3"},'
        '"made":{"$date":{"$numberLong":"1700000000123"}},"at":{"$date":"2024-05-01T12:00:00Z"},'
        '"tags":["a"],"of":{"brand":"acme"}}'
    )
    assert document(text) == {
        "_id": "64a",
        "price": "9.50",
        "stock": "3",
        "made": "2023-11-14T22:13:20.123Z",
        "at": "2024-05-01T12:00:00Z",
        "tags": ["a"],
        "of": {"brand": "acme"},
    }
    assert document("no JSON") == "no JSON" and document("[" * 10**5) == "[" * 10**5
