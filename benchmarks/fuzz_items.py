"""Feeds mutated lines about items to their readers, the records and the content vectors: none
crashes them, all are accounted for, and what is accepted has the types that others rely on.

In: the number of lines, and a seed. Out: one line of JSON; exit code 1 if a line was lost, a value
has a wrong type, or memory grew. Lines of all presets are mutated as those of `benchmarks.fuzz`.
"""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]

from benchmarks.fuzz import BATCH, command, mutated
from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from udfs.events.item_changes import FIELDS, ItemChange, pack_changes, unpack_changes
from udfs.events.item_preset import ItemPreset
from udfs.events.items import ItemReader
from udfs.events.items.presets import ITEM_PRESETS
from udfs.events.items.resolve import resolve_items
from udfs.events.items.values import MOST_NUMBERS, MOST_TEXT, MOST_WORDS
from udfs.events.places import alternatives
from udfs.models.content.features import content_vector
from udfs.state.item_records import fields_of, merged, pack_record, unpack_record

NAMES = sorted(ITEM_PRESETS)
_ITEMS = 2_000  # records that are kept
_VALUES: dict[str, Any] = {
    "item": "7",
    "ts": "2024-05-01T12:00:00Z",
    "title": "Red kettle",
    "text": "<p>Boils &amp; whistles</p>",
    "categories": ["kitchen > tea", "red"],
    "tags": "red, steel",
    "price": "1,299.50 EUR",
    "currency": "EUR",
    "provider": "acme",
    "image": "https://shop.example/kettle.jpg",
    "vector": [0.5, -1.25, 1e-9],
    "available": "in stock",
    "hidden": False,
    "published": 1995,
    "expires": 1_900_000_000_000,
    "attributes": {"colour": "red", "litres": 1.5, "for": ["tea"], "new": True, "size": {"w": 3}},
    "deleted": False,
}


def seeds() -> dict[str, list[str]]:
    """Usable lines of every preset."""
    own = {"kind": "item", **_VALUES}
    found: dict[str, list[str]] = {}
    for name, preset in ITEM_PRESETS.items():
        lines = [_json(preset)] if preset.format == "json" else [_cells(preset)]
        found[name] = [*lines, json.dumps(own), json.dumps([own, own])]
    found["debezium"] += [
        json.dumps({"payload": {"op": "d", "before": {"id": 7}}}),
        json.dumps({"id": 7, "name": "Mug", "__op": "u", "__deleted": "false"}),
        json.dumps({"op": "c", "after": '{"_id":{"$oid":"64a"},"price":{"$numberDecimal":"9.5"}}'}),
    ]
    return found


def _json(preset: ItemPreset) -> str:
    row: dict[str, Any] = {}
    for field, places in preset.fields.items():
        for place in alternatives(places):
            *above, last = place.removeprefix("!").split(".")
            into = row
            for key in above:
                name = key.removesuffix("[]").removesuffix("[*]")
                inner = into.setdefault(name, {} if name == key else [{}])
                into = inner[0] if isinstance(inner, list) else inner
            into[last.removesuffix("[]")] = _VALUES[field]
    row |= {place: words[0] for place, words in preset.only.items()}
    if preset.shape == "named":
        row["fields"] = [{"name": field, "value": value} for field, value in _VALUES.items()]
    elif preset.shape == "change":
        row = {"payload": {"op": "u", "before": None, "after": row | _VALUES, "ts_ms": 1.7e12}}
    return json.dumps({preset.each: [row, row]} if preset.each else row)


def _cells(preset: ItemPreset) -> str:
    return (preset.delimiter or ",").join("7" for _ in preset.columns) or "7,8,9"


def check(change: ItemChange) -> None:
    """See that the values of a change are what `FIELDS` promises; AssertionError if not."""
    assert change.item and isinstance(change.ts, int)
    for field, value in change.fields.items():
        if value is not None:
            _CHECKS[FIELDS[field]](value)


def _text(value: Any) -> None:
    assert isinstance(value, str) and value.encode() and value == value.strip()
    assert len(value) <= 20 * MOST_TEXT


def _texts(value: Any) -> None:
    assert isinstance(value, list) and 0 < len(value) <= MOST_WORDS
    for one in value:
        _text(one)


def _number(value: Any) -> None:
    assert type(value) is float and math.isfinite(value)


def _numbers(value: Any) -> None:
    assert isinstance(value, list) and 0 < len(value) <= MOST_NUMBERS
    for one in value:
        _number(one)


def _map(value: Any) -> None:
    assert isinstance(value, dict) and len(value) <= MOST_WORDS
    for name, one in value.items():
        assert name.encode()
        if one is not None and not isinstance(one, bool):
            {str: _text, float: _number, list: _texts}[type(one)](one)


def _flag(value: Any) -> None:
    assert isinstance(value, bool)


def _time(value: Any) -> None:
    assert type(value) is int and abs(value) < 2**48


_CHECKS = {
    "text": _text,
    "texts": _texts,
    "number": _number,
    "numbers": _numbers,
    "flag": _flag,
    "time": _time,
    "map": _map,
}


def run(count: int, seed: int) -> dict[str, Any]:
    """Read `count` lines, with each preset in turn, and measure the memory."""
    base = decode_settings(load(None, ["source.paths=x"], {}).config)
    settings = [msgspec.structs.replace(base, items=resolve_items(name)) for name in NAMES]
    readers = [ItemReader(one) for one in settings]
    records: dict[str, bytes] = {}
    reasons: Counter[str] = Counter()
    changed = ignored = lost = done = 0
    middle, process, now = 0, psutil.Process(), int(time.time() * 1000)
    lines, began = mutated(count, seed, seeds(), NAMES), time.monotonic()
    while done < count:
        batch = [next(lines) for _ in range(min(BATCH, count - done))]
        found = readers[done // BATCH % len(readers)].decode(batch, now)
        done += len(batch)
        lost += max(0, len(batch) - found.received)
        ignored += found.ignored
        changed += len(found.changes)
        reasons.update(bad.reason for bad in found.rejected)
        for change in unpack_changes(pack_changes(found.changes)):
            check(change)
            record = merged(
                unpack_record(records.get(change.item), change.item), change.ts, change.fields
            )
            records[change.item] = pack_record(record)
            content_vector(fields_of(record))
        while len(records) > _ITEMS:
            records.pop(next(iter(records)))
        if not middle and done >= count // 2:
            middle = process.memory_info().rss
    return {
        "lines": count,
        "changes": changed,
        "ignored": ignored,
        "rejected": dict(reasons),
        "lost": lost,
        "growth": round(process.memory_info().rss / middle, 3),
        "lines_per_s": round(count / (time.monotonic() - began)),
    }


def main() -> None:
    """Run, print."""
    command(run, __doc__)


if __name__ == "__main__":
    main()
