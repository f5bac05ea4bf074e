"""Writes the same events in the forms in which people bring them.

In: events and a `Form`. Out: a file, and the options with which it is read.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

FIELDS = "user", "item", "type", "ts", "value", "id"
Event = dict[str, Any]


def _zstd(data: bytes) -> bytes:
    import zstandard

    return zstandard.compress(data)


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": _zstd,
}
SHAPES = "lines", "array", "pretty", "nested", "several", "csv", "tsv", "semicolons"
ENCODINGS = "utf-8", "utf-8-sig", "utf-16", "latin-1"
CSV = {"csv": ",", "tsv": "\t", "semicolons": ";"}


class Form(NamedTuple):
    """How events are written.

    Attributes:
        shape: of `SHAPES`. packed: of `PACKED`. streams: how many compressed streams follow one
            another. encoding: of `ENCODINGS`. seed: of the order of columns, of case and blanks.
        name: of the file, without endings. upper: whether the ending is in upper case.
    """

    shape: str = "lines"
    packed: str = ""
    streams: int = 1
    encoding: str = "utf-8"
    seed: int = 0
    name: str = "events"
    upper: bool = False


def write(folder: Path, events: Sequence[Event], form: Form) -> tuple[Path, list[str]]:
    """A file of these events, and the options that it needs."""
    if form.shape in CSV:
        text, settings = _csv(events, form)
    else:
        text, settings = _json(events, form), []
    if form.shape == "nested":
        settings.append("source.each=basket.lines[]")
        fields = {"item": "basket.lines[].sku", "value": "basket.lines[].value"}
        settings += [f"source.fields.{field}={path}" for field, path in fields.items()]
    if form.encoding == "latin-1":
        settings.append("source.encoding=latin-1")
    ending = (".csv" if form.shape in CSV else ".json") + form.packed
    path = folder / (form.name + (ending.upper() if form.upper else ending))
    data = text.encode(form.encoding)
    size = -(-len(data) // form.streams)
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    path.write_bytes(b"".join(map(PACKED[form.packed], parts)))
    return path, settings


def _json(events: Sequence[Event], form: Form) -> str:
    draw = random.Random(form.seed)
    if form.shape == "pretty":
        return json.dumps(list(events), indent=draw.choice((1, 2, "\t")), ensure_ascii=False)
    if form.shape == "nested":
        return "".join(map(_line, map(_nested, events)))
    if form.shape == "lines":
        end = draw.choice(("\n", "\r\n", "\n\n"))
        text = end.join(_line(event).rstrip("\n") for event in events)
        return text + draw.choice(("", "\n"))
    if form.shape == "array":
        inner = ",\n".join(_line(event).rstrip("\n") for event in events)
        return draw.choice((f"[\n{inner}\n]\n", f"[{inner}]", f"[{inner}\n]"))
    groups, rest = [], list(events)
    while rest:
        size = draw.randrange(1, 6)
        groups.append(rest[:size])
        rest = rest[size:]
    return "".join(json.dumps(group, ensure_ascii=False) + "\n" for group in groups)


def _line(event: Any) -> str:
    return json.dumps(event, ensure_ascii=False) + "\n"


def _nested(event: Event) -> Event:
    line = {key: value for key, value in event.items() if key not in ("item", "value")}
    element = {"sku": event["item"]} | ({"value": event["value"]} if "value" in event else {})
    return line | {"basket": {"lines": [element]}}


def _csv(events: Sequence[Event], form: Form) -> tuple[str, list[str]]:
    """With a header in an order of its own, its names in some case, with blanks around."""
    draw = random.Random(form.seed)
    used = [f for f in FIELDS if f in ("user", "item") or any(f in event for event in events)]
    draw.shuffle(used)
    odd = [draw.choice((str, str.upper, str.title))(field) for field in used]
    header = [draw.choice(("{}", " {}", "{} ")).format(name) for name in odd]
    delimiter = CSV[form.shape]
    out = io.StringIO()
    ending, quoting = draw.choice(("\n", "\r\n")), draw.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
    writer = csv.writer(out, delimiter=delimiter, lineterminator=ending, quoting=quoting)
    writer.writerow(header)
    writer.writerows([event.get(field, "") for field in used] for event in events)
    settings = ["source.format=csv"]
    if delimiter != ",":
        settings.append(f"source.delimiter={json.dumps(delimiter)}")
    return out.getvalue(), settings
