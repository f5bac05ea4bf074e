"""`make bench`: the speed of the job and of alternatives to it, in one run on one machine.

In: sections; by default the job's own speed and that of its peers, half an hour. Out: their tables,
and `benchmarks/out/bench.json`, by section; other sections keep the figures of earlier runs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.measured import measured

OUT = Path(__file__).parent / "out"
SECTIONS = ("throughput", "latency", "peers", "rerank", "growth", "cluster", "scale")
"""Modules of this folder; each prints a table, and finally its figures as JSON."""
USUAL = SECTIONS[:4]


def main() -> None:
    """Measure each section, and write its figures immediately."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(USUAL))
    parser.add_argument("--events", help="of the throughput section")
    options = parser.parse_args()
    arguments = {"throughput": ["--events", options.events] if options.events else []}
    file = OUT / "bench.json"
    OUT.mkdir(exist_ok=True)
    figures: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    for section in options.only:
        found = measured(f"benchmarks.{section}", *arguments.get(section, []))
        figures[section] = {"machine": machine(), **found}
        file.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"written: {file}")


if __name__ == "__main__":
    main()
