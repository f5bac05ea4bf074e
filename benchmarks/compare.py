"""`make bench-compare REF=…`: the throughput of this version and of another commit, alternating.

In: a git reference. Out: a table of events/s by round, and the ratio of the medians. Both versions
read the same events on the same machine, one after the other in each round, so that other load on
the machine affects both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from benchmarks.throughput import throughput, write_workload
from flink_app.local.redis_server import RedisServer

HERE = Path(__file__).parents[1]


@contextmanager
def checked_out(ref: str, folder: Path) -> Iterator[Path]:
    """A tree of the commit `ref` below `folder`, removed afterwards.

    Raises:
        SystemExit: there is no such commit, or this is not a git repository.
    """
    tree = folder / "other"
    add = ["git", "-C", str(HERE), "worktree", "add", "--detach", str(tree), ref]
    done = subprocess.run(add, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"REF={ref} cannot be checked out: {done.stderr.strip()}")
    try:
        yield tree
    finally:
        remove = ["git", "-C", str(HERE), "worktree", "remove", "--force", str(tree)]
        subprocess.run(remove, check=False)


def main() -> None:
    """Generate, measure alternately, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ref", help="the commit, tag or branch to compare with")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="ranker", help="lists.model")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        checked_out(options.ref, Path(folder)) as other,
        RedisServer() as server,
    ):
        path = Path(folder) / "events.jsonl"
        write_workload(path, options.events)
        trees = {"this": HERE, options.ref: other}
        rates: dict[str, list[int]] = {name: [] for name in trees}
        for number in range(options.rounds):
            for name, tree in trees.items():
                print(f"round {number + 1} of {options.rounds}: {name} …", file=sys.stderr)
                model = f"lists.model={options.model}"
                run = throughput("millirec", path, server.url, model, *options.settings, tree=tree)
                rates[name].append(run["events_per_s"])
    report(rates)


def report(rates: dict[str, list[int]]) -> None:
    """Print events/s of each version by round, and the ratio of the first to the second."""
    table = Table("", *(f"round {n + 1}" for n in range(len(rates["this"]))), "median")
    for name, values in rates.items():
        table.add_row(name, *(f"{value:,}" for value in [*values, round(median(values))]))
    console = Console()
    console.print(table)
    mine, others = rates.values()
    ratios = [a / max(b, 1) for a, b in zip(mine, others, strict=True)]
    console.print(
        f"this / {list(rates)[1]}: {median(mine) / max(median(others), 1):.2f} by the medians, "
        f"{min(ratios):.2f} to {max(ratios):.2f} by round"
    )


if __name__ == "__main__":
    main()
