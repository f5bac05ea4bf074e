"""Gorse's exports as lines that the job reads.

In: what Gorse's dashboard exports: users, items and feedback as JSON, an object a line, or, before
its version 0.5, as CSV; or the file of `gorse-cli dump`. Out: a line for each.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from flink_app.data.imports import gorse_dump
from flink_app.data.imports.lines import (
    Line,
    Record,
    Unusable,
    described,
    is_vector,
    json_records,
    only_vector,
    present,
    translated,
    without_vectors,
)
from udfs.events.presets import PRESETS
from udfs.events.settings import RATING
from udfs.events.text_files import open_lines

_TYPES = PRESETS["gorse"].types
_NEVER = "0001-01-01"  # how Go writes that there is no time
_COLUMNS = {
    "user_id": "UserId",
    "item_id": "ItemId",
    "feedback_type": "FeedbackType",
    "is_hidden": "IsHidden",
    "categories": "Categories",
    "time_stamp": "Timestamp",
    "labels": "Labels",
    "description": "Comment",
}
"""The columns of the exports as CSV, which begin with one of the first three."""


def records(path: Path) -> Iterator[Record]:
    """The records of a file, by what is in it.

    Raises:
        SourceError: the file cannot be read.
    """
    if gorse_dump.is_dump(path):
        return gorse_dump.records(path)
    head = next(_text(path), "").strip("\ufeff \r\n").split(",")
    return _csv_records(path) if {*head} <= {*_COLUMNS} else json_records(path)


def _text(path: Path) -> Iterator[str]:
    return (f"{line}\n" for line in chain.from_iterable(open_lines(path)))


def _csv_records(path: Path) -> Iterator[Record]:
    rows = csv.reader(_text(path))
    names = [_COLUMNS[name.strip("\ufeff ")] for name in next(rows)]
    while True:
        try:
            row = next(rows, None)
        except csv.Error as error:
            yield Record(f"{path}, line {rows.line_num}", Unusable(f"it is no CSV: {error}"))
            continue
        if row is None:
            return
        place = f"{path}, line {rows.line_num}"
        if row and len(row) != len(names):
            wrong = Unusable(f"the line has {len(row)} cells, the header {len(names)}")
            yield Record(place, wrong)
        elif row:
            yield Record(place, _typed(dict(zip(names, row, strict=True))))


def _typed(cells: dict[str, str]) -> dict[str, Any]:
    """The values that cells stand for: labels are JSON, or words between |."""
    found: dict[str, Any] = dict(cells)
    if "Categories" in found:
        found["Categories"] = [word for word in cells["Categories"].split("|") if word]
    if "Labels" in found:
        labels = cells["Labels"]
        try:
            found["Labels"] = msgspec.json.decode(labels)
        except msgspec.MsgspecError:
            found["Labels"] = [word for word in labels.split("|") if word]
    return found


def lines(record: dict[str, Any]) -> Iterator[Line]:
    """What a record says, in millirec's own form.

    Raises:
        Unusable: it is neither a user nor an item nor feedback of Gorse.
    """
    user, item = record.get("UserId"), record.get("ItemId")
    if "FeedbackType" in record:
        kind = translated(record["FeedbackType"], _TYPES)
        value = record.get("Value") if kind == RATING else None
        yield present(user=user, item=item, type=kind, value=value) | _when(record, "ts")
    elif item is not None:
        yield {"kind": "item", "item": item, **_item(record)}
    elif user is not None:
        labels = record.get("Labels")
        named = labels if isinstance(labels, dict) else {"labels": labels} if labels else {}
        yield {"kind": "profile", "user": user, **described(named)}
    else:
        raise Unusable("it has none of Gorse's fields UserId, ItemId and FeedbackType")


def _item(record: dict[str, Any]) -> Line:
    labels = record.get("Labels")
    fields = present(
        title=record.get("Comment") or None,
        categories=record.get("Categories") or None,
        hidden=record.get("IsHidden"),
    )
    fields |= _when(record, "published")
    if isinstance(labels, dict):
        kept, vectors = without_vectors(labels)
        fields |= present(attributes=kept or None) | only_vector(vectors)
    elif is_vector(labels):
        fields["vector"] = labels
    elif labels:
        fields["tags"] = labels
    return fields


def _when(record: dict[str, Any], name: str) -> Line:
    at = record.get("Timestamp")
    return {} if not at or str(at).startswith(_NEVER) else {name: at}
