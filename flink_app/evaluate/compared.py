"""The baselines of an evaluation: which of them can run, and their runs.

In: names, the events' files and the rule of the tests. Out: a `Result` for each baseline and seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console

from flink_app.config import Config
from flink_app.evaluate.baselines import BASELINES
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.prequential import Prequential, Rule
from flink_app.evaluate.results import Result
from flink_app.evaluate.stream import keep_all, read_stream
from flink_app.graph.event_settings import decode_settings
from flink_app.lookup.lists import now_ms
from udfs.errors import ConfigError

Start = Callable[[str], Callable[[int], None]]
"""Shows a bar under a name; what it returns takes how many events are done."""


def chosen(names: Sequence[str], warmup: bool, console: Console) -> list[str]:
    """The baselines of these names; `all` are those that can run, and the others are told.

    Raises:
        ConfigError: one that is named needs a warm-up, and there is none.
    """
    every = BASELINES if "all" in names else dict.fromkeys(names)
    lacking = [name for name in every if BASELINES[name].once and not warmup]
    for name in lacking:
        lacks = "is trained once, on the warm-up: say how long that is, such as --warmup half"
        if name in names:
            raise ConfigError(f"--baseline {name} {lacks}")
        console.print(f"{name} is left out: it {lacks}", soft_wrap=True)
    return [name for name in every if name not in lacking]


def compare(
    config: Config,
    files: Sequence[Path],
    folder: Path,
    which: tuple[Sequence[str], Sequence[int]],
    rule: Rule,
    start: Start,
) -> list[Result]:
    """Run the baselines of these names, each once for every seed that makes a difference."""
    names, seeds = which
    if not names:
        return []
    settings, path, results = decode_settings(config), folder / "with-ratings", []
    in_order(files, keep_all(settings), now_ms(), path)
    stream = read_stream(path, decode_settings(as_written(config)), now_ms())
    for name in names:
        kind = BASELINES[name]
        for seed in seeds if kind.seeded else seeds[:1]:
            baseline = kind(stream.shape, seed)
            lists = config.lists
            test = Prequential(stream, baseline, lists.length, lists.exclude_consumed, rule)
            results.append(test.run(seed, start(f"{name}, seed {seed}")))
    return results
