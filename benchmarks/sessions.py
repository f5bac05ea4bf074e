"""The session part of `make evaluate`: clicks of RSC15 on the last day, after six days of warm-up.

In: a folder with `train_full.txt` and `test.txt`, tab-separated clicks with the columns SessionId,
ItemId and Time, as session-rec prepares them (https://github.com/rn5l/session-rec) from the data of
the RecSys Challenge 2015. Out: runs that `benchmarks.evaluate` measures. A session is a user; each
click of the last day after a session's first is a test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from flink_app.config import load
from flink_app.evaluate.evaluation import evaluate
from flink_app.evaluate.results import Result

FILES = "train_full.txt", "test.txt"
MODELS = "ranker", "mf", "item-cf"
BASELINES = "popular", "item-knn", "sr", "vsknn", "stan", "gru4rec"


class Protocol(NamedTuple):
    """What a test of sessions is.

    Attributes:
        repeat: whether lists hold what the session had, and clicks on it are tests too.
        freeze: whether nothing is learned on the last day but what each session did.
    """

    repeat: bool
    freeze: bool


SETS = {
    "rsc15-100k, with repeats": Protocol(repeat=True, freeze=False),
    "rsc15-100k, only new items": Protocol(repeat=False, freeze=False),
    "rsc15-100k, with repeats, frozen": Protocol(repeat=True, freeze=True),
    "rsc15-100k, only new items, frozen": Protocol(repeat=False, freeze=True),
}


def missing(folder: Path) -> str:
    """Why a folder cannot be measured; "" if it can."""
    lacking = [name for name in FILES if not (folder / name).is_file()]
    if not lacking:
        return ""
    return (
        f"{folder} has no {' and no '.join(lacking)}: name the folder of RSC15's sessions with "
        "ARGS='--sessions FOLDER'"
    )


def clicks(path: Path) -> int:
    """How many events a file has: its lines, less the header and empty ones."""
    with path.open(encoding="utf-8") as file:
        return sum(1 for line in file if line.strip()) - 1


def pieces(
    given: list[str], folder: Path, protocol: Protocol, seeds: int
) -> Iterator[tuple[str, Callable[[], list[Result]]]]:
    """The runs for a table's figures: a name, and the function that measures it."""
    files = [folder / name for name in FILES]
    given = ["source.preset=session-rec", *given]

    def run(modes: list[str], baselines: list[str], first: int, count: int) -> list[Result]:
        return evaluate(
            load(None, [*given, f"model.seed={first}"], {}).config,
            files,
            modes,
            count,
            "",
            None,
            baselines,
            models=MODELS,
            warmup=clicks(files[0]),
            freeze=protocol.freeze,
            repeat=protocol.repeat,
            console=Console(quiet=True),
        )

    for seed in range(1, seeds + 1):
        yield f"strict, seed {seed}", partial(run, ["strict"], [], seed, 1)
    for name in BASELINES:
        yield f"{name}, {seeds} seeds", partial(run, [], [name], 1, seeds)
