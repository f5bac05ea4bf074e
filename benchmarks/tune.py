"""`python -m benchmarks.tune`: finds the best settings of each baseline, for both positive rules.

In: MovieLens-100K. Out: a table for each baseline, and `benchmarks/out/tune.json`. Everything is
measured on the first half of the ratings by time, with the loop of `millirec evaluate`. The score
of a setting is its recall@10 relative to the best one's, averaged over ratings of 5 and all
ratings: millirec has one set of defaults for both, and so do the methods it is compared with.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from itertools import product
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.evaluate import OUT, SETS, recorded
from flink_app.config import load
from flink_app.evaluate.baselines import BASELINES, Baseline, Shape
from flink_app.evaluate.evaluation import with_positive
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.prequential import Prequential
from flink_app.evaluate.stream import Stream, keep_all, read_stream
from flink_app.graph.event_settings import decode_settings
from flink_app.lookup.lists import now_ms

Setting = dict[str, Any]
"""Arguments of a baseline by name, other than its defaults."""

ALL = 1_000_000
"""Larger than any count in the data."""

GRIDS: dict[str, dict[str, Sequence[Any]]] = {
    "isgd": {
        "factors": (10, 20, 50),
        "rate": (0.02, 0.05, 0.1, 0.2),
        "penalty": (0.01, 0.05, 0.1),
        "nearest": (True, False),
    },
    "raisgd": {
        "factors": (20, 50),
        "rate": (0.05, 0.1, 0.2, 0.3),
        "penalty": (0.01, 0.03, 0.1),
        "negatives": (3, 10, 20),
        "nearest": (True, False),
    },
    "item-knn": {"recent": (5, 10, 20, 50, 100, ALL)},
    "user-knn": {"neighbours": (20, 50, 100, 200, ALL)},
    "sr": {"steps": (3, 10, 30)},
    "vsknn": {"recent": (10, 20, 50), "sessions": (500, 2000), "neighbours": (100, 500)},
    "stan": {"recent": (20, 50), "places": (1.02, 3.0, 10.0), "inside": (2.05, 10.0)},
    "als": {"factors": (10, 20, 50), "penalty": (5.0, 20.0, 40.0), "confidence": (1.0, 5.0)},
}
"""The tried values. `popular` has no settings; those of `biased-mf` are chosen by its error."""


def settings(grid: Mapping[str, Sequence[Any]]) -> Iterator[Setting]:
    """All combinations of a grid.

    >>> list(settings({"rate": (0.1, 0.2), "nearest": (True,)}))
    [{'rate': 0.1, 'nearest': True}, {'rate': 0.2, 'nearest': True}]
    """
    for values in product(*grid.values()):
        yield dict(zip(grid, values, strict=True))


def shares(found: Sequence[Sequence[float]]) -> list[float]:
    """The score of each setting: its mean recall relative to the best.

    Args:
        found: recall@10, a row for each setting, a column for each set of events.

    >>> shares([(0.1, 0.2), (0.2, 0.1), (0.2, 0.15)])
    [0.75, 0.75, 0.875]
    """
    table = np.array(found)
    most = table.max(axis=0)
    score: list[float] = (table / np.where(most > 0, most, 1.0)).mean(axis=1).tolist()
    return score


def first_half(path: Path, positive: str, folder: Path) -> tuple[Stream, int]:
    """The first half of the ratings by time, and the length of a list."""
    config = with_positive(load(None, ["source.preset=movielens"], {}).config, positive)
    decode, ordered = decode_settings(config), folder / "ratings"
    in_order([path], keep_all(decode), now_ms(), ordered)
    return cut(
        read_stream(ordered, decode_settings(as_written(config)), now_ms())
    ), config.lists.length


def cut(stream: Stream) -> Stream:
    """The first half of a stream, with its own shape."""
    half = len(stream.users) // 2
    columns = {
        name: getattr(stream, name)[:half] for name in stream.__struct_fields__ if name != "shape"
    }
    shape = Shape(int(columns["users"].max()) + 1, int(columns["items"].max()) + 1, half)
    return Stream(**columns, shape=shape)


def recall(kind: type[Baseline], stream: Stream, length: int, seed: int, given: Setting) -> float:
    """Recall@10 of a baseline with this setting."""
    run = Prequential(stream, kind(stream.shape, seed, **given), length).run(seed)
    return run.quality["served:recall@10"]


def defaults(kind: type[Baseline], names: Sequence[str]) -> Setting:
    """The default values of these arguments.

    >>> defaults(BASELINES["als"], ["factors", "sweeps"])
    {'factors': 20, 'sweeps': 5}
    """
    known = signature(kind.__init__).parameters
    return {name: known[name].default for name in names}


def show(console: Console, name: str, rows: Sequence[dict[str, Any]], most: int) -> None:
    """Print the best rows, and that of the defaults with a star."""
    table = Table(title=f"{name}, {len(rows)} settings", box=SIMPLE, padding=0, show_edge=False)
    for head in ("", *rows[0]["setting"], *SETS, "mean share"):
        table.add_column(head, justify="right")
    present = defaults(BASELINES[name], list(rows[0]["setting"]))
    for place, row in enumerate(rows):
        star = "*" if row["setting"] == present else ""
        if place < most or star:
            values = [f"{v:,}" if v == ALL else str(v) for v in row["setting"].values()]
            recalls = [f"{row['recall@10'][data]:.4f}" for data in SETS]
            table.add_row(star, *values, *recalls, f"{row['share']:.4f}")
    console.print(table)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="u.data of MovieLens-100K, or its folder")
    parser.add_argument(
        "--baseline", action="append", choices=GRIDS, help="one of them; default: all"
    )
    parser.add_argument("--seeds", type=int, default=1, help="runs of randomised baselines")
    parser.add_argument("--rows", type=int, default=5, help="rows of each table")
    options = parser.parse_args()
    path, console = recorded(options.data), Console()
    out = OUT.with_name("tune.json")
    with tempfile.TemporaryDirectory(prefix="millirec-tune-") as folder:
        streams = [first_half(path, positive, Path(folder)) for positive in SETS.values()]
    written = msgspec.json.decode(out.read_bytes()) if out.exists() else {}
    for name in options.baseline or GRIDS:
        kind, tried = BASELINES[name], list(settings(GRIDS[name]))
        seeds = range(1, 1 + options.seeds if kind.seeded else 2)
        found = [
            [
                float(np.mean([recall(kind, stream, length, seed, given) for seed in seeds]))
                for stream, length in streams
            ]
            for given in tried
        ]
        rows: list[dict[str, Any]] = [
            {"setting": given, "recall@10": dict(zip(SETS, each, strict=True)), "share": share}
            for given, each, share in zip(tried, found, shares(found), strict=True)
        ]
        rows.sort(key=lambda row: -row["share"])
        show(console, name, rows, options.rows)
        out.parent.mkdir(exist_ok=True)
        written[name] = {"seeds": len(seeds), "rows": rows}
        out.write_bytes(msgspec.json.format(msgspec.json.encode(written)) + b"\n")
    console.print(f"written: {out}")


if __name__ == "__main__":
    main()
