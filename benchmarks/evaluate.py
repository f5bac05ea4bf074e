"""`make evaluate`: the quality of the lists on recorded events, compared with published methods.

In: MovieLens-100K, and clicks of RSC15 in sessions (`benchmarks.sessions`). Out: tables,
`benchmarks/out/evaluate.json` with a record for each data set, model, mode and seed, a plot of each
data set next to it, and of ratings a report with curves of re-ranking, segments and drift. It takes
hours and can be interrupted: each run's results are kept, and `--resume` measures the rest. The
licence of MovieLens forbids redistribution: get it from
https://grouplens.org/datasets/movielens/100k/.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from benchmarks import sessions
from flink_app.config import load
from flink_app.evaluate.evaluation import evaluate
from flink_app.evaluate.plot import check_plot, save
from flink_app.evaluate.results import OWN, Result
from flink_app.evaluate.table import show
from flink_app.report.evaluated import evaluated_page
from flink_app.report.page import html
from udfs.options.sources import testable

OUT = Path(__file__).parent / "out" / "evaluate.json"
DATA = Path(os.environ.get("RECORDED_DATA", Path(__file__).parents[2] / "shared" / "data"))
SETS = {"ml-100k, ratings of 5": "rating>=4.5", "ml-100k, all ratings": "rating>=0"}
MODELS = ("ranker", *testable())
Piece = tuple[str, Callable[[], list[Result]]]
PARALLEL = ("job.shards=32", "job.parallelism=2", "lists.model=ranker")


def records(data: str, results: list[Result]) -> list[dict[str, Any]]:
    """A record for each list in the results."""
    found = []
    for result in results:
        names = [key.removesuffix(":tests") for key in result.quality if key.endswith(":tests")]
        shared = {k: v for k, v in result.quality.items() if ":" not in k}
        for name in names:
            own = result.served if name == "served" else name
            measures = {
                key.partition(":")[2]: value
                for key, value in result.quality.items()
                if key.startswith(f"{name}:")
            }
            found.append(
                {
                    "data": data,
                    "model": own if result.model == OWN else f"{result.model} (baseline)",
                    "mode": result.mode,
                    "seed": result.seed,
                    "events": result.events,
                    "seconds": result.seconds,
                    "microseconds": result.microseconds,
                    "rmse": result.rmse,
                    **shared,
                    **measures,
                }
            )
    return found


def picture(data: str) -> Path:
    """The path of a data set's plot.

    >>> picture("ml-100k, all ratings").name
    'evaluate-ml-100k-all-ratings.png'
    """
    return OUT.with_name(f"{OUT.stem}-{re.sub('[^a-z0-9]+', '-', data)}.png")


def u_data(data: Path | None) -> Path:
    """The path of MovieLens-100K's `u.data`, given that path, its folder, or by default `DATA`."""
    path = data or DATA / "ml-100k"
    return path / "u.data" if path.is_dir() else path


def recorded(data: Path | None) -> Path:
    """The path of MovieLens-100K's `u.data`, which must exist; `data` as for `u_data`."""
    path = u_data(data)
    if not path.exists():
        raise SystemExit(f"{path} does not exist: name MovieLens-100K's u.data with DATA=FOLDER")
    return path


def pieces(given: list[str], path: Path, positive: str, seeds: int) -> Iterator[Piece]:
    """The runs for a data set's figures: a name, and the function that measures it."""
    quiet = Console(quiet=True)

    def strict(seed: int) -> list[Result]:
        config = load(None, [*given, f"model.seed={seed}"], {}).config
        return evaluate(config, [path], ["strict"], 1, positive, None, models=MODELS, console=quiet)

    def parallel(seed: int) -> list[Result]:
        config = load(None, [*given, *PARALLEL, f"model.seed={seed}"], {}).config
        return evaluate(config, [path], ["parallel"], 1, positive, None, console=quiet)

    def baselines() -> list[Result]:
        config = load(None, given, {}).config
        return evaluate(config, [path], [], seeds, positive, None, ["all"], console=quiet)

    for seed in range(1, seeds + 1):
        yield f"strict, seed {seed}", partial(strict, seed)
    for seed in range(1, seeds + 1):
        yield f"parallel, seed {seed}", partial(parallel, seed)
    yield f"baselines, {seeds} seeds", baselines


def measurements(name: str, options: argparse.Namespace, console: Console) -> Iterator[Piece]:
    """The runs for a data set by its name; none for sessions that are not there, which is told."""
    given = [f"ranker.network={options.network}"]
    if name in SETS:
        given = ["source.preset=movielens", *given]
        return pieces(given, recorded(options.data), SETS[name], options.seeds)
    folder = options.sessions or DATA / "rsc15-100k"
    if missing := sessions.missing(folder):
        console.print(f"skipped: {missing}", soft_wrap=True)
        return iter(())
    return sessions.pieces(given, folder, sessions.SETS[name], options.seeds)


def look_closer(name: str, options: argparse.Namespace) -> Path:
    """Draw curves of re-ranking, segments and drift of a data set of ratings: a report, whose path
    is returned. Its lists know what items and users are, which those of the tables do not."""
    path, out = recorded(options.data), picture(name).with_suffix(".html")
    given = ["source.preset=movielens", f"ranker.network={options.network}"]
    known = [path.with_name(file) for file in ("u.item", "u.user")]
    items, users = ([file] if file.exists() else [] for file in known)
    results = evaluate(
        load(None, given, {}).config,
        [path],
        ["strict"],
        1,
        SETS[name],
        out.with_suffix(".json"),
        items=items,
        users=users,
        console=Console(quiet=True),
    )
    out.write_text(html(evaluated_page(results, f"Made by benchmarks.evaluate of {name}.")))
    return out


def kept(file: Path, measure: Callable[[], list[Result]], resume: bool) -> list[Result]:
    """The results in `file` if it exists and `resume` is set; otherwise measured and kept there."""
    if resume and file.exists():
        return msgspec.json.decode(file.read_bytes(), type=list[Result])
    found = measure()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(msgspec.json.encode(found))
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="u.data of MovieLens-100K, or its folder")
    parser.add_argument("--seeds", type=int, default=5, help="runs of randomised methods")
    parser.add_argument("--network", choices=["linear", "neural"], default="linear")
    parser.add_argument("--sessions", type=Path, help="the folder of RSC15's files in sessions")
    choices = [*SETS, *sessions.SETS]
    parser.add_argument("--only", choices=choices, help="one data set; keep the others' records")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    options = parser.parse_args()
    console, found = Console(highlight=False), []
    for name in choices:
        check_plot(picture(name))
    if options.only and OUT.exists():
        found = [r for r in msgspec.json.decode(OUT.read_bytes()) if r["data"] != options.only]
    for name in choices if options.only is None else [options.only]:
        console.rule(name)
        results: list[Result] = []
        for piece, measure in measurements(name, options, console):
            console.print(f"{piece} …")
            file = picture(name).with_suffix("") / f"{options.network}, {piece}.json"
            results += kept(file, measure, options.resume)
        if not results:
            continue
        show(console, results)
        found += records(name, results)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
        save(results, picture(name), name)
        written = [OUT, picture(name), *([look_closer(name, options)] if name in SETS else [])]
        console.print(f"written: {', '.join(map(str, written))}")


if __name__ == "__main__":
    main()
