"""The events of the quality run of `benchmarks.cluster`, and their writing at a steady rate.

In: MovieLens-100K if available, else the simulated shop. Out: `Events`, written to a `Writer`.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.evaluate import u_data
from flink_app.simulator import ShopSettings, simulate
from flink_app.writers.files import FileWriter, Writer

RATINGS_OF_5 = (
    "events.rating_rule=threshold",
    "events.rating_threshold=4.5",
    "events.zero_weight=ignore",
)


class Events(NamedTuple):
    """Events of a topic: JSON lines in order, a name for reports, options of the job."""

    lines: list[bytes]
    name: str
    settings: tuple[str, ...] = ()


def structured(data: Path | None, events: int, folder: Path) -> Events:
    """MovieLens-100K's ratings of 5 in order of time, or as many events of the simulated shop.

    Args:
        data: `u.data`, or its folder; by default as for `benchmarks.evaluate`.
    """
    path = u_data(data)
    if path.exists():
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        rated = sorted((row for row in rows if row[2] == "5"), key=lambda row: int(row[3]))
        lines = [
            b'{"user":"%b","item":"%b","type":"rating","value":5,"ts":%b}'
            % tuple(part.encode() for part in (user, item, ts))
            for user, item, _, ts in rated
        ]
        return Events(lines[:events], "ml-100k, ratings of 5", RATINGS_OF_5)
    simulate(ShopSettings(), FileWriter(folder / "shop"), events)
    return Events((folder / "shop").read_bytes().splitlines(), "simulated shop")


def pace(writer: Writer, lines: Sequence[bytes], rate: int) -> None:
    """Write lines in order, `rate` per second, in steps of 20 ms."""
    began, done = time.monotonic(), 0
    while done < len(lines):
        due = min(int((time.monotonic() - began) * rate) + 1, len(lines))
        writer.write(lines[done:due])
        done = due
        time.sleep(0.02)
