"""Takes the row out of a change of a database, as Debezium writes it.

In: an object of JSON: an envelope with `op`, `before` and `after`, alone or in the `payload` beside
its `schema`, or a row that Debezium's ExtractNewRecordState has made of it. Out: the columns, when
they were so, and whether the row is gone; None if the change is of no row.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from udfs.events.items.mapping import OF_MESSAGE
from udfs.events.items.row_values import Schema, document, readable
from udfs.events.items.values import Bad
from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import shown

log = logging.getLogger(__name__)

TIME = "ts"
"""Under which name a row has the time of its change, in place of a column of this name."""
_TRUNCATE, _MESSAGE = "t", "m"
_OPS = {"c": "after", "r": "after", "u": "after", "d": "before", _TRUNCATE: "", _MESSAGE: ""}
"""What is done with a row → where it is: created, read by a snapshot, updated, deleted."""
_BESIDE = "before", "after", "source"
"""One of these is in an envelope."""
_MARKS = "__"
"""How the fields begin that ExtractNewRecordState adds to a row."""
_HINTS = {
    ("postgresql", "before"): "PostgreSQL sends it with REPLICA IDENTITY FULL or a primary key",
    ("mongodb", "before"): "MongoDB sends it with the capture.mode "
    "change_streams_update_full_with_pre_image",
    ("mongodb", "after"): "MongoDB sends it with the capture.mode change_streams_update_full",
}


class Row(NamedTuple):
    """A row after a change.

    Attributes:
        columns: their values by name, and the time as `TIME`, as of which they are, if known.
        gone: whether the row has been deleted; None: that is not known.
    """

    columns: dict[str, Any]
    gone: bool | None


def row_of(found: Mapping[str, Any]) -> Row | None:
    """The row of a change; None for a table that was emptied, a message without a row, or nothing.

    Raises:
        Bad: it lacks its row.

    >>> row_of({"payload": {"op": "d", "before": {"id": 7}, "after": None, "ts_ms": 5}})
    Row(columns={'id': 7, 'ts': 5}, gone=True)
    >>> row_of({"id": 7, "name": "Mug", "__deleted": "false", "__source_ts_ms": 5})
    Row(columns={'id': 7, 'name': 'Mug', 'ts': 5}, gone=False)
    """
    change, schema = _payload(found)
    if change is None:
        return None
    if not isinstance(change, dict):
        raise Bad("wrong_type", f"the payload is {kind_of(change)}, not an object")
    row = _of_envelope(change, schema) if _is_envelope(change) else _flat(change, schema)
    return row and row._replace(columns=row.columns | _of_message(found))


def is_change(found: Mapping[str, Any]) -> bool:
    """Whether an object looks like a change of a row, wrapped or not.

    >>> is_change({"op": "c", "after": {"id": 7}}), is_change({"user": "ann", "item": "7"})
    (True, False)
    """
    change, _ = _payload(found)
    if not isinstance(change, dict):
        return False
    return _is_envelope(change) or not change.keys().isdisjoint(("__op", "__deleted"))


def _payload(found: Mapping[str, Any]) -> tuple[Any, Schema | None]:
    """The change, and its schema if that is beside it."""
    own = found.keys() - _of_message(found).keys()
    if "payload" not in own or not own <= {"payload", "schema"}:
        return found, None
    schema = found.get("schema")
    return found["payload"], schema if isinstance(schema, dict) else None


def _of_message(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a mapping asked for of the Kafka message."""
    return {name: found[name] for name in OF_MESSAGE if name in found}


def _is_envelope(change: Mapping[str, Any]) -> bool:
    """Whether it is none of a table's rows, which may have a column called `op`."""
    return isinstance(change.get("op"), str) and not change.keys().isdisjoint(_BESIDE)


def _of_envelope(change: dict[str, Any], schema: Schema | None) -> Row | None:
    op, source = change["op"], change.get("source")
    source = source if isinstance(source, dict) else {}
    if op not in _OPS:
        raise Bad(
            "wrong_type", f"the op of the change is {shown(op)}, not one of {', '.join(_OPS)}"
        )
    if op == _TRUNCATE:
        log.warning(
            "the table %s was truncated: its items stay as they are until rows say otherwise, or "
            "nobody has taken them for state.item_expiry_days",
            shown(source.get("table", "of a change")),
        )
    side = _OPS[op]
    if not side:
        return None
    row = change.get(side)
    if isinstance(row, str):
        row = document(row)
    if not isinstance(row, dict):
        hint = _HINTS.get((str(source.get("connector") or "postgresql"), side), "")
        found = f"no row in {side!r}" if row is None else f"{kind_of(row)} in {side!r}, not a row"
        what = f"the change has {found}"
        raise Bad("wrong_type", f"{what}; {hint}" if hint else what)
    columns = readable(row, _side(schema, side))
    return _timed(columns, source.get("ts_ms") or change.get("ts_ms"), gone=op == "d")


def _flat(change: dict[str, Any], schema: Schema | None) -> Row:
    columns = {
        name: value
        for name, value in readable(change, schema).items()
        if not name.startswith(_MARKS)
    }
    op, deleted = change.get("__op"), change.get("__deleted")
    known = op is not None or deleted is not None
    gone = op == "d" or str(deleted).lower() == "true"
    when = change.get("__source_ts_ms") or change.get("__ts_ms")
    return _timed(columns, when, gone=gone if known else None)


def _timed(columns: dict[str, Any], when: Any, *, gone: bool | None) -> Row:
    return Row(columns | ({TIME: when} if when else {}), gone)


def _side(schema: Schema | None, side: str) -> Schema | None:
    """The schema of the row before, or after, a change."""
    fields = schema.get("fields") if schema else None
    if not isinstance(fields, list):
        return None
    return next((f for f in fields if isinstance(f, dict) and f.get("field") == side), None)
