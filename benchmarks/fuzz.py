"""Feeds mutated lines to the decoder and the learner: none crashes them, all are accounted for.

In: the number of lines, and a seed. Out: one line of JSON; exit code 1 if a line was lost or memory
grew. Lines of all presets, some of several events, are mutated: bits flipped, parts removed,
repeated or replaced by parts of others; digits, quotes and control characters inserted.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import psutil  # type: ignore[import-untyped]

from flink_app.config import load
from flink_app.graph.event_settings import decode_settings
from udfs.events.decode import Decoder
from udfs.events.places import field_of, slots
from udfs.events.presets import PRESETS
from udfs.events.resolve import resolve
from udfs.learning.learner import Learner
from udfs.state.handles import MemoryRows

BATCH = 500
_OWN = 0.5
GROWTH = 1.1  # of the resident memory, between the middle of the run and its end
_BOUNDS = "state.user_cache=2000", "state.max_items=2000", "state.history=200"
_ODD = (
    "\x00",
    '"',
    "\\",
    "{",
    "[",
    ",",
    "\ufeff",
    "\u202e",
    "é",
    "😀",
    "1e999",
    "NaN",
    "-",
    "\n",
    "::",
)


NAMES = sorted(PRESETS)
"""The presets in the order in which batches of lines are read by them."""


def seeds() -> dict[str, list[str]]:
    """Usable lines of every preset: JSON, arrays of it, CSV, tab-separated values."""
    found: dict[str, list[str]] = {}
    for name, preset in PRESETS.items():
        values = {"ts": "1661431896", "value": "4", "type": next(iter(preset.types), "view")}
        if preset.format == "json":
            row: dict[str, Any] = {}
            for slot, place in slots(preset).items():
                words = preset.only.get(place) or (values.get(field_of(slot), "7"),)
                _put(row, place.split("."), words[0])
            found[name] = [json.dumps(row), json.dumps([row, row]), f"{json.dumps(row)},"]
        else:
            fields = {place: field for field, place in preset.fields.items()}
            cells = [values.get(fields.get(name, ""), "7") for name in preset.columns]
            found[name] = [preset.delimiter.join(cells)]
    events = (
        {"user": f"u{n}", "item": f"i{n}", "type": "click", "ts": 1.6e12 + n} for n in range(9)
    )
    lines = list(map(json.dumps, events))
    found["millirec"] += [*lines, "\n".join(lines[:3]), "["]
    return found


def _put(row: dict[str, Any], path: list[str], value: str) -> None:
    """Add a value at a path, in an element that is twice in its list if there is one on the way."""
    *above, last = path
    for key in above:
        name = key.removesuffix("[]")
        row = row.setdefault(name, {"7": "7"}) if name == key else _element(row, name)
    row[last] = value


def _element(row: dict[str, Any], name: str) -> dict[str, Any]:
    element: dict[str, Any] = {}
    row.setdefault(name, [element, element])
    found: dict[str, Any] = row[name][0]
    return found


def mutated(
    count: int, seed: int, own: dict[str, list[str]], names: Sequence[str]
) -> Iterator[str]:
    """`count` lines, each a usable one with up to six mutations; some are still usable.

    Half of each batch is of the preset by which it is read.

    Args:
        own: usable lines by preset. names: the preset of each batch in turn.
    """
    draw = random.Random(seed)
    lines = [line for some in own.values() for line in some]
    for number in range(count):
        name = names[number // BATCH % len(names)]
        line = draw.choice(own[name] if draw.random() < _OWN else lines)
        for _ in range(draw.randrange(7)):
            line = mutate(line, draw, lines)
        yield line


def mutate(line: str, draw: random.Random, lines: list[str]) -> str:
    """The line with one mutation, perhaps by a part of one of the others."""
    at, kind = draw.randrange(len(line) + 1), draw.randrange(6)
    if kind == 0:
        return line[:at] + draw.choice(_ODD) + line[at:]
    if kind == 1:
        return line[:at] + line[at + draw.randrange(1, 9) :]
    if kind == 2:
        return line[:at] + line[at : at + 9] * draw.choice((2, 3, 100)) + line[at:]
    if kind == 3:
        return line[:at] + draw.choice(lines)[at:]
    if kind == 4 and line:
        at = min(at, len(line) - 1)
        return line[:at] + chr((ord(line[at]) ^ (1 << draw.randrange(7))) & 0xFF) + line[at + 1 :]
    return line[:at] + str(draw.randrange(10 ** draw.choice((1, 3, 20)))) + line[at:]


def run(count: int, seed: int) -> dict[str, Any]:
    """Decode and learn `count` lines, with each preset in turn, and measure the memory."""
    config = load(None, ["source.paths=x", *_BOUNDS], {}).config
    base = decode_settings(config)
    decoders = [Decoder(msgspec.structs.replace(base, preset=resolve(name))) for name in NAMES]
    learner = Learner(config.settings)
    learner.compile()
    rows, history, now = MemoryRows(), MemoryRows(), int(time.time() * 1000)
    reasons: Counter[str] = Counter()
    learned = ignored = lost = done = events_on = 0
    middle, process = 0, psutil.Process()
    lines, began = mutated(count, seed, seeds(), NAMES), time.monotonic()
    while done < count:
        batch = [next(lines) for _ in range(min(BATCH, count - done))]
        decoded = decoders[done // BATCH % len(decoders)].decode(batch, now)
        done += len(batch)
        reasons.update(bad.reason for bad in decoded.rejected)
        ignored += decoded.ignored
        events_on += decoded.received
        lost += max(0, len(batch) - decoded.received)
        if len(events := decoded.batch(now)):
            slots = learner.learn(events, rows, history, learned, now, np.zeros(2)).slots
            learner.messages(now)
            _ = [some.json for some in learner.user_lists(slots, now)]
            learned += len(events)
        while len(rows) > 20_000:  # in a job, users expire by time
            rows.pop(next(iter(rows)))
        history.clear()
        if not middle and done >= count // 2:
            middle = process.memory_info().rss
    growth = process.memory_info().rss / middle
    return {
        "lines": count,
        "events": events_on,
        "learned": learned,
        "ignored": ignored,
        "rejected": dict(reasons),
        "lost": lost,
        "growth": round(growth, 3),
        "lines_per_s": round(count / (time.monotonic() - began)),
    }


def command(run: Callable[[int, int], dict[str, Any]], about: str | None) -> None:
    """Run from the command line, print; exit code 1 if lines were lost or memory grew."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = run(options.lines, options.seed)
    print(json.dumps(found))
    if found["lost"] or found["growth"] > GROWTH:
        sys.exit("lines were lost, or memory grew: see above")


def main() -> None:
    """Run, print."""
    command(run, __doc__)


if __name__ == "__main__":
    main()
