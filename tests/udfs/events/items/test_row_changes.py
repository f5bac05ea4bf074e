"""Changes of a table's rows become the items that the table has, however they are written."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.events.items.test_row_values import nested
from udfs.events.items import ItemReader, ReadItems
from udfs.events.items.resolve import resolve_items
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.state.item_records import Record, fields_of, merged

NOW = 1_800_000_000_000
SOURCE = {"connector": "postgresql", "table": "products", "ts_ms": NOW - 10}
COLUMNS: list[dict[str, Any]] = [
    {"field": "id", "type": "int32"},
    {"field": "name", "type": "string"},
    {
        "field": "price",
        "type": "bytes",
        "name": "org.apache.kafka.connect.data.Decimal",
        "parameters": {"scale": "2"},
    },
    {"field": "stock", "type": "int32"},
    {"field": "made", "type": "int64", "name": "io.debezium.time.MicroTimestamp"},
]
SCHEMA = {
    "type": "struct",
    "fields": [
        {"field": side, "type": "struct", "fields": COLUMNS} for side in ("before", "after")
    ],
}


def reader(**fields: str) -> ItemReader:
    items = resolve_items("debezium", fields=fields)
    return ItemReader(
        DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0}, items=items)
    )


SHOP = reader(available="stock", published="made")


def read(*messages: Any, by: ItemReader = SHOP) -> ReadItems:
    return by.decode([one if isinstance(one, str) else json.dumps(one) for one in messages], NOW)


def change(op: str, row: dict[str, Any], **source: Any) -> dict[str, Any]:
    before, after = (row, None) if op == "d" else (None, row)
    return {"op": op, "before": before, "after": after, "source": SOURCE | source, "ts_ms": NOW}


def test_an_envelope_with_and_without_its_schema() -> None:
    price = b64encode((950).to_bytes(2, "big")).decode()
    row = {"id": 7, "name": "Kettle", "price": price, "stock": 3, "made": 1_700_000_000_123_456}
    wrapped = {"schema": SCHEMA, "payload": change("c", row)}
    plain = change("c", row | {"price": "9.50"})
    found = read(wrapped, plain, {"payload": plain})
    assert not found.rejected
    for one in found.changes:
        assert (one.item, one.ts) == ("7", NOW - 10)
        assert one.fields == {
            "title": "Kettle",
            "price": 9.5,
            "available": True,
            "published": 1_700_000_000_123,
            "deleted": False,
        }


@pytest.mark.parametrize("op", ["c", "r", "u"])
def test_each_of_these_is_the_row_as_it_is_now(op: str) -> None:
    (found,) = read(change(op, {"id": 7, "stock": 0})).changes
    assert found.fields == {"available": False, "deleted": False}


def test_a_row_that_is_deleted() -> None:
    (found,) = read(change("d", {"id": 7, "name": None, "price": "?"})).changes
    assert (found.item, found.ts, found.fields) == ("7", NOW - 10, {"deleted": True})


def test_rows_without_their_envelope() -> None:
    row = {"id": 7, "name": "Mug", "__table": "products"}
    marked = row | {"__op": "u", "__deleted": "false", "__source_ts_ms": NOW - 20}
    gone = row | {"__deleted": "true", "__ts_ms": NOW - 5}
    wrapped = {"schema": {"fields": COLUMNS}, "payload": marked | {"made": 1_000}}
    found = read(row, marked, gone, wrapped)
    assert [one.ts for one in found.changes] == [NOW, NOW - 20, NOW - 5, NOW - 20]
    titles = {"title": "Mug"}, {"title": "Mug", "deleted": False}, {"deleted": True}
    assert [one.fields for one in found.changes[:3]] == [*titles]
    assert found.changes[3].fields == titles[1] | {"published": 1}


def test_what_is_no_row_is_ignored(caplog: pytest.LogCaptureFixture) -> None:
    emptied = {"op": "t", "before": None, "after": None, "source": SOURCE, "ts_ms": NOW}
    said = {"op": "m", "message": {"prefix": "x", "content": ""}, "source": SOURCE}
    found = read("", "null", {"schema": None, "payload": None}, emptied, said)
    assert (found.ignored, found.changes, found.rejected) == (5, [], [])
    (record,) = caplog.records
    assert "the table 'products' was truncated: its items stay" in record.getMessage()


@pytest.mark.parametrize(
    ("message", "detail"),
    [
        ({"op": "u", "source": SOURCE}, "the change has no row in 'after'"),
        (
            change("d", {}) | {"before": None},
            "in 'before'; PostgreSQL sends it with REPLICA IDENTITY",
        ),
        (change("d", {}, connector="mysql") | {"before": 5}, "has a number in 'before', not"),
        (change("d", {}, connector=["x"]) | {"before": None}, "the change has no row in 'before'"),
        (change("d", {}, connector={}) | {"before": None}, "PostgreSQL sends it"),
        (change("u", {}, connector="mongodb") | {"after": None}, "change_streams_update_full"),
        ({"op": "x", "after": {"id": 7}}, "the op of the change is 'x', not one of c, r, u, d"),
        ({"op": ["c"], "id": {}}, "the item ('id') is an object"),
        ({"payload": 5}, "the payload is a number, not an object"),
        (change("c", {"sku": "a"}), "no 'id' or '_id' or 'ID', but 'sku': set items.fields.item"),
    ],
)
def test_a_change_without_its_row_is_named(message: Any, detail: str) -> None:
    (bad,) = read(message).rejected
    assert detail in bad.detail


sides = st.none() | st.text(max_size=3) | st.dictionaries(st.sampled_from(["id", "name"]), nested)
odd = {
    "op": st.sampled_from(["c", "u", "d", "t", "m", "x"]) | nested,
    "before": sides | nested,
    "after": sides | nested,
    "source": nested | st.dictionaries(st.sampled_from(["connector", "table", "ts_ms"]), nested),
    "payload": nested,
    "schema": nested,
    "__op": nested,
    "__deleted": nested,
    "ts_ms": nested,
    "deleted_at": nested,
}


@given(st.fixed_dictionaries({}, optional=odd), st.fixed_dictionaries({}, optional=odd))
def test_nothing_raises(message: dict[str, Any], payload: dict[str, Any]) -> None:
    assert read(message, {"payload": payload}, {"payload": payload, "schema": message})


@pytest.mark.parametrize("depth", [10, 600, 800, 990])
def test_a_column_of_lists_in_lists_costs_no_other_line(depth: int) -> None:
    deep = f'{{"op":"c","after":{{"id":1,"x":{"[" * depth}{"]" * depth}}}}}'
    assert read(deep, change("c", {"id": 7})).changes[-1].item == "7"


def test_another_preset_is_told_of_changes() -> None:
    settings = DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0})
    own = ItemReader(settings)
    for message in (change("c", {"id": 7}), {"payload": change("d", {"id": 7})}, {"__op": "c"}):
        (bad,) = read(message, by=own).rejected
        assert 'a change of a row of a database: set items.preset = "debezium"' in bad.detail


def test_columns_of_ones_own_names() -> None:
    own = reader(item="sku", title="bezeichnung", hidden="!online", ts="changed_at")
    row = {"sku": "k-1", "bezeichnung": "Kanne", "online": 0, "changed_at": NOW - 99, "ts": "x"}
    (found,) = read(change("u", row), by=own).changes
    assert (found.item, found.ts) == ("k-1", NOW - 99)
    assert found.fields == {"title": "Kanne", "hidden": True, "deleted": False}


def test_the_time_of_the_message_where_a_mapping_asks_for_it() -> None:
    line = {"@key": '{"id":7}', "@time": NOW - 3, "payload": {"id": 7, "name": "Mug"}, "schema": {}}
    (found,) = read(line, by=reader(ts="@time")).changes
    assert (found.ts, found.fields) == (NOW - 3, {"title": "Mug"})


@pytest.mark.parametrize(
    ("column", "value", "gone"),
    [
        ("deleted_at", None, False),
        ("deleted_at", "2024-05-01T12:00:00Z", True),
        ("deleted_at", NOW, True),
        ("deleted_at", "1970-01-01T00:00:00.000Z", False),
        ("deleted_at", "1970-01-01", False),
        ("deleted_at", 0, False),
        ("is_deleted", 0, False),
        ("is_deleted", True, True),
    ],
)
def test_a_row_that_is_only_marked_as_deleted(column: str, value: Any, gone: bool) -> None:
    (found,) = read(change("u", {"id": 7, column: value})).changes
    assert found.fields == {"deleted": gone}


@pytest.mark.parametrize(
    "type_", ["io.debezium.time.Timestamp", "io.debezium.time.Date", "org.example.Own", None]
)
def test_a_zero_date_deletes_nothing_with_a_schema_or_without(type_: str | None) -> None:
    columns = [{"field": "deleted_at", "type": "int64", "name": type_}]
    schema = {"fields": [{"field": "after", "fields": columns}]}
    message = change("u", {"id": 7, "deleted_at": 0})
    (found,) = read({"schema": schema, "payload": message}).changes
    assert found.fields == {"deleted": False}


@pytest.mark.parametrize("row", [{"op": "c"}, {"op": "x"}, {"op": "t", "before_sale": 3}])
def test_a_flattened_row_may_have_a_column_called_op(row: dict[str, Any]) -> None:
    flattened = {"id": 1, "title": "a", **row}
    for message in (flattened, {"payload": flattened}, flattened | {"__op": "u"}):
        (found,) = read(message).changes
        assert (found.item, found.fields["title"]) == ("1", "a")
        assert found.fields["attributes"]["op"] == row["op"]


def test_days_without_a_schema() -> None:
    rows = [{"id": n, "made": made} for n, made in enumerate([20_000, -1, 1995, NOW])]
    found = [one.fields["published"] for one in read(*(change("c", row) for row in rows)).changes]
    assert found == [20_000 * 86_400_000, -86_400_000, 788_918_400_000, NOW]


def test_documents_of_mongodb() -> None:
    text = '{"_id":{"$oid":"64a"},"name":"Kettle","price":{"$numberDecimal":"9.5"}}'
    created = change("c", {}, connector="mongodb") | {"after": text}
    gone = change("d", {}, connector="mongodb") | {"before": text}
    found = read(created, gone)
    assert [one.item for one in found.changes] == ["64a", "64a"]
    assert found.changes[0].fields == {"title": "Kettle", "price": 9.5, "deleted": False}


Table = dict[int, dict[str, Any]]
# A row without any value is an item of which nothing is known: after a deletion, that it is gone.
ids, names = st.integers(1, 3), st.sampled_from(["Mug", "Cup"])
rows = st.fixed_dictionaries(
    {"name": names, "stock": st.sampled_from([0, 4, None]), "colour": st.none() | st.just("red")}
)
steps: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("put"), ids, rows),
    st.tuples(st.just("delete"), ids, st.just({})),
    st.tuples(st.just("again"), ids, rows),  # deleted and inserted in one transaction
)
history = st.lists(st.tuples(steps, st.integers(0, 1)), max_size=12)


def play(told: list[tuple[Any, int]]) -> tuple[Table, list[tuple[int, dict[str, Any]]]]:
    """The table after these steps, each as many ms after the one before, and its changes."""
    table: Table = {}
    messages = []
    at = NOW - 1_000
    for (what, key, columns), later in told:
        at += later
        if what in ("delete", "again") and key in table:
            messages.append((at, change("d", {"id": key} | table.pop(key), ts_ms=at)))
        if what in ("put", "again"):
            op = "u" if key in table else "c"
            table[key] = columns
            messages.append((at, change(op, {"id": key} | columns, ts_ms=at)))
    return table, messages


def flat(envelope: dict[str, Any]) -> dict[str, Any]:
    """A message as ExtractNewRecordState leaves it."""
    row = envelope["after"] or envelope["before"]
    marks = {"__op": envelope["op"], "__source_ts_ms": envelope["source"]["ts_ms"]}
    return {**row, **marks, "__deleted": str(envelope["op"] == "d").lower()}


FORMS = [lambda m: m, lambda m: {"schema": SCHEMA, "payload": m}, flat]


@given(history, st.data())
def test_items_are_the_rows_whatever_comes_again(
    told: list[tuple[Any, int]], data: st.DataObject
) -> None:
    table, messages = play(told)
    sent = [json.dumps(data.draw(st.sampled_from(FORMS))(message)) for _, message in messages]
    newest = {_item(message): at for at, message in messages}
    late = [one for one, (at, m) in zip(sent, messages, strict=True) if at < newest[_item(m)]]
    for begin in data.draw(st.lists(st.integers(0, len(sent)), max_size=2)):
        sent = [*sent, *sent[begin:]]  # at least once: from an earlier offset on
    found = read(*sent, *data.draw(st.permutations(late)))
    assert not found.rejected
    records: dict[str, Record] = {}
    for one in found.changes:
        records[one.item] = merged(records.get(one.item, {}), one.ts, one.fields)
    assert {int(item): fields_of(record) for item, record in records.items()} == {
        key: _fields(table[key]) if key in table else {"deleted": True} for key in newest
    }


def _item(message: dict[str, Any]) -> int:
    found: int = (message["after"] or message["before"])["id"]
    return found


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    """What an item has of a row of the table, the plain twin."""
    found = {"title": row["name"], "available": None if row["stock"] is None else row["stock"] > 0}
    found = {name: value for name, value in found.items() if value is not None}
    return found | ({"attributes": {"colour": row["colour"]}} if row["colour"] else {})


COLUMNS_OF = {"item": "sku", "available": "stock", "hidden": "!online", "published": "released"}
EXPECTED = {
    "k-1": {"title": "Kettle", "text": "Boils water.", "price": 39.5, "tags": ["tea", "kitchen"],
            "available": False, "hidden": False, "published": 20_000 * 86_400_000},
    "m-2": {"title": "Mug", "text": "For tea.", "price": 10.5, "available": True, "hidden": False},
    "s-1": {"title": "Samovar, new", "price": 89.99, "available": True, "hidden": False},
    **{item: {"deleted": True} for item in ("m-1", "x-1", "y-1")},
}  # fmt: skip
"""What is in the table after a snapshot, updates, a new key, deletes, one of which was inserted
again in the same transaction, one that is only marked, a message and a truncated other table."""


@pytest.mark.parametrize("name", ["plain", "flat"])
@pytest.mark.parametrize("ts", ["", "changed_at"])
def test_what_debezium_wrote_of_a_table(name: str, ts: str) -> None:
    """Version 3.5.0 with PostgreSQL 15: enveloped and flattened, without schemas."""
    lines = (Path(__file__).parent / f"debezium-{name}.jsonl").read_text().splitlines()
    found = read(*lines, by=reader(**COLUMNS_OF, **({"ts": ts} if ts else {})))
    assert not found.rejected and len(found.changes) == 13
    records: dict[str, Record] = {}
    for one in found.changes:
        records[one.item] = merged(records.get(one.item, {}), one.ts, one.fields)
    items = {item: fields_of(record) for item, record in records.items()}
    for fields in items.values():
        fields.pop("attributes", None)
    if not ts:  # in PostgreSQL, m-2 was released on a day that reads like a year
        assert items.pop("m-2") == EXPECTED["m-2"] | {"published": 946_684_800_000}
        assert items == {item: one for item, one in EXPECTED.items() if item != "m-2"}
    assert items["y-1"] == items["x-1"] == {"deleted": True}


def test_what_debezium_wrote_with_schemas() -> None:
    lines = (Path(__file__).parent / "debezium-schema.jsonl").read_text().splitlines()
    kettle, mug, sold_out, cheaper, samovar = read(*lines, by=reader(**COLUMNS_OF)).changes
    assert kettle.fields["price"] == 39.5 and kettle.fields["tags"] == ["tea", "kitchen"]
    assert kettle.fields["attributes"] | {"changed_at": ""} == {
        "weight": 1.25,
        "details.litres": 1.5,
        "changed_at": "",
        "made": "2024-10-04T10:00:00.123Z",
        "created": "1999-12-31T23:59:59.999Z",
    }
    assert mug.fields["published"] == 2_000 * 86_400_000 and cheaper.fields["price"] == 10.5
    assert "text" not in sold_out.fields and sold_out.fields["available"] is False
    assert samovar.fields == {"deleted": True}
