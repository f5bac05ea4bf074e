"""`make bench-compare REF=…`: this version and another commit, measured in turns.

In: a git reference. Out: a table of events/s by round, and the ratio of the medians; with `--run`,
every figure of another benchmark instead. Both versions are measured on the same machine, one
after the other in each round, so that other load on the machine affects both.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import split
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measured import measured
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
    """Measure in turns, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ref", help="the commit, tag or branch to compare with")
    parser.add_argument("--events", type=int, default=300_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="ranker", help="lists.model")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    parser.add_argument(
        "--run",
        metavar="'BENCHMARK ARGUMENTS'",
        help="run this benchmark of each version instead, such as 'latency --rates 400'",
    )
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        checked_out(options.ref, Path(folder)) as other,
    ):
        trees = {"this": HERE, options.ref: other}
        if options.run:
            print_figures(in_turns(options.run, trees, options.rounds))
        else:
            report(throughputs(trees, Path(folder), options))


def throughputs(
    trees: dict[str, Path], folder: Path, options: argparse.Namespace
) -> dict[str, list[int]]:
    """Events/s of each version, by round; the same events for all."""
    path = folder / "events.jsonl"
    write_workload(path, options.events)
    rates: dict[str, list[int]] = {name: [] for name in trees}
    with RedisServer() as server:
        for number in range(options.rounds):
            for name, tree in trees.items():
                print(f"round {number + 1} of {options.rounds}: {name} …", file=sys.stderr)
                model = f"lists.model={options.model}"
                run = throughput("millirec", path, server.url, model, *options.settings, tree=tree)
                rates[name].append(run["events_per_s"])
    return rates


def in_turns(
    command: str, trees: dict[str, Path], rounds: int
) -> dict[str, dict[str, list[float]]]:
    """The figures of a benchmark's JSON by version, each with its values by round.

    Each version runs its own form of the benchmark; only figures that all of them have are kept.

    Args:
        command: a module of `benchmarks` and its arguments.
    """
    module, *arguments = split(command)
    found: dict[str, dict[str, list[float]]] = {name: {} for name in trees}
    for number in range(rounds):
        for name, tree in trees.items():
            print(f"round {number + 1} of {rounds}: {name} …", file=sys.stderr)
            for key, value in figures(measured(f"benchmarks.{module}", *arguments, tree=tree)):
                found[name].setdefault(key, []).append(value)
    shared = set.intersection(*(set(values) for values in found.values()))
    return {
        name: {key: values[key] for key in values if key in shared}
        for name, values in found.items()
    }


def figures(data: Any, path: str = "") -> Iterator[tuple[str, float]]:
    """The numbers in JSON, each with where it stands.

    >>> dict(figures({"rates": [{"model": "mf", "p50_ms": 3, "late": None}], "ok": True}))
    {'rates.0.p50_ms': 3.0}
    """
    if isinstance(data, dict):
        data = data.items()
    elif isinstance(data, list):
        data = enumerate(data)
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield path, float(data)
        return
    else:
        return
    for key, value in data:
        yield from figures(value, f"{path}.{key}" if path else str(key))


def print_figures(found: dict[str, dict[str, list[float]]]) -> None:
    """Print the median of each figure by version, and the ratio of the first to the second."""
    (mine, others), names = found.values(), list(found)
    table = Table("", *names, f"{names[0]} / {names[1]}")
    for key, values in mine.items():
        a, b = median(values), median(others[key])
        table.add_row(key, f"{a:,.6g}", f"{b:,.6g}", f"{a / b:.2f}" if b else "")
    Console().print(table)


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
