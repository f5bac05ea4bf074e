"""`python -m benchmarks.formats`: what Avro and Protobuf cost beside JSON, in CPU time.

In: nothing. Out: µs of an event that is read, until it is a row of a batch, and of a list of 20
that is written for Kafka, by format; the least of some rounds each, as a table of Markdown.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from udfs.events.decode import Decoder
from udfs.events.resolve import resolve
from udfs.events.settings import DecodeSettings
from udfs.formats import avro, protobuf
from udfs.formats.list_values import list_writer
from udfs.formats.schema import RegisteredSchema
from udfs.formats.settings import ValueSettings
from udfs.formats.values import Values
from udfs.options.schema_registry import VALUE_FORMATS, ValueFormat

EVENTS, LISTS, ROUNDS = 20_000, 1_000, 7
FIELDS = {"user": "string", "item": "string", "type": "string", "ts": "long", "session": "string"}
AVRO = json.dumps(
    {
        "type": "record",
        "name": "Event",
        "fields": [{"name": name, "type": kind} for name, kind in FIELDS.items()],
    }
)
_FIELDS = " ".join(
    f"{'int64' if kind == 'long' else kind} {name} = {number};"
    for number, (name, kind) in enumerate(FIELDS.items(), 1)
)
PROTOBUF = f'syntax = "proto3"; message Event {{ {_FIELDS} }}'
SCHEMAS = {"avro": AVRO, "protobuf": PROTOBUF}
WRITERS = {"avro": avro.writer, "protobuf": protobuf.writer}


class _Registry:
    """Has one schema."""

    def __init__(self, name: ValueFormat) -> None:
        self._schema = RegisteredSchema(name, SCHEMAS[name])

    def schema(self, number: int) -> RegisteredSchema:
        return self._schema


def least(work: Callable[[], object], count: int) -> float:
    """CPU time of one of `count`, µs, in the fastest round."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent) / count * 1e6


def _repeat(write: Callable[[bytes], bytes], value: bytes) -> None:
    for _ in range(LISTS):
        write(value)


def events(now_ms: int) -> list[dict[str, Any]]:
    """Events of which no two are alike."""
    return [
        {"user": f"user-{n}", "item": f"sku-{n % 5000}", "type": "click", "ts": now_ms - n}
        | {"session": f"s{n // 7}"}
        for n in range(EVENTS)
    ]


def read(name: ValueFormat, found: Sequence[dict[str, Any]]) -> tuple[float, float]:
    """µs of an event as JSON, and as a value with a schema until it is that."""
    now = int(time.time() * 1000)
    decoder = Decoder(DecodeSettings(preset=resolve("millirec"), weights={"click": 1.0}))
    registry: Any = _Registry(name)
    values = Values(ValueSettings(events=name), registry)
    write = WRITERS[name](SCHEMAS[name])
    texts = [f"\n{(bytes(5) + write(event)).decode('latin-1')}" for event in found]
    lines, bad = values.lines(texts)
    assert not bad and len(decoder.decode(lines, now)) == EVENTS
    return (
        least(lambda: decoder.decode(lines, now), EVENTS),
        least(lambda: values.lines(texts), EVENTS),
    )


def main() -> None:
    """Measure and print."""
    why = [{"model": "item-cf", "because": ["98", "12"]}, {"model": "mf"}]
    items = [{"item": f"sku-{n}", "score": 1 - n / 50, "why": why[n % 2]} for n in range(20)]
    whole = {"user": "ann", "id": "1a-2", "at": 1, "v": 1, "source": "ranker", "items": items}
    value = json.dumps(whole).encode()
    found = events(int(time.time() * 1000))
    print("| µs of CPU time | an event becomes a line | that line is read | a list is written |")
    print("|---|---|---|---|")
    for name in VALUE_FORMATS:
        line, become = read(name, found)
        write = list_writer(name, 1)
        spent = least(partial(_repeat, write, value), LISTS)
        print(f"| {name} | {become:.1f} | {line:.1f} | {spent:.0f} |")


if __name__ == "__main__":
    main()
