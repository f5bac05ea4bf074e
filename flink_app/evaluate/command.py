"""`millirec evaluate`, top to bottom: order the events, run each mode, baseline and seed, report.

In: a loaded configuration and what to run. Out: a table on standard output, figures as JSON.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from flink_app.config import Config
from flink_app.config.check import check
from flink_app.evaluate.baselines import BASELINES, Baseline
from flink_app.evaluate.measure import Result, measure
from flink_app.evaluate.ordered import in_order
from flink_app.evaluate.prequential import Prequential
from flink_app.evaluate.report import show
from flink_app.evaluate.stream import Stream, keep_all, read_stream
from flink_app.lookup import now_ms
from flink_app.settings import decode_settings
from udfs.errors import ConfigError

_POSITIVE = re.compile(r"\s*rating\s*>=\s*(-?\d+(?:\.\d+)?)\s*")


def evaluate(
    config: Config, files: Sequence[Path], modes: Sequence[str], seeds: int, positive: str,
    out: Path | None, baselines: Sequence[str] = (), warmup: int | Literal["half"] = 0,
) -> None:  # fmt: skip
    """Run and report.

    Args:
        modes: strict, parallel (see `in_mode`). seeds: how many, from `model.seed` up.
        positive: "rating>=4.5" or "", for which every event counts as its weight says.
        out: where the JSON goes.
        baselines: names of `BASELINES`, or all.
        warmup: how many events are learned before the first test; half of them all.

    Raises:
        ConfigError, SourceError, JobFailed: what cannot be evaluated.
    """
    config = with_positive(config, positive)
    check(in_mode(config, "strict", config.model.seed, files[0]))
    console, err = Console(highlight=False), Console(stderr=True)
    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millirec-evaluate-")))
        ordered = folder / "events"
        lines, left_out = in_order(files, decode_settings(config), now_ms(), ordered)
        console.print(f"{lines:,} events in order of time; {left_out:,} lines left out")
        bar = stack.enter_context(
            Progress(
                TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
                TimeRemainingColumn(), console=err, transient=True,
            )
        )  # fmt: skip
        after = lines // 2 if warmup == "half" else warmup
        if after >= lines:
            raise ConfigError(f"--warmup {after} leaves no test: there are {lines:,} events")
        every_seed = range(config.model.seed, config.model.seed + seeds)
        for mode in modes:
            for seed in every_seed:
                task = bar.add_task(f"{mode}, seed {seed}", total=lines)
                changed = in_mode(config, mode, seed, ordered, after)
                results.append(
                    measure(
                        changed, mode, folder / "millirec.log", lines,
                        lambda done, task=task: bar.update(task, completed=done),  # type: ignore[misc]
                    )
                )  # fmt: skip
        if baselines:
            stream = _stream(config, files, folder / "all-events")
            for kind in _kinds(baselines):
                for seed in every_seed if kind.seeded else every_seed[:1]:
                    task = bar.add_task(f"{kind.name}, seed {seed}", total=lines)
                    test = Prequential(
                        stream, kind(stream.shape, seed), config.lists.length,
                        config.lists.exclude_consumed, after,
                    )  # fmt: skip
                    results.append(
                        test.run(seed, lambda done, task=task: bar.update(task, completed=done))  # type: ignore[misc]
                    )
    show(console, results)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(msgspec.json.format(msgspec.json.encode(results)) + b"\n")
        console.print(f"written: {out}")


def _kinds(names: Sequence[str]) -> list[type[Baseline]]:
    """The baselines of these names, each once; all of them for "all"."""
    return (
        list(BASELINES.values()) if "all" in names else [BASELINES[n] for n in dict.fromkeys(names)]
    )


def _stream(config: Config, files: Sequence[Path], path: Path) -> Stream:
    """The events for the baselines, which has ratings in it that do not count."""
    settings = decode_settings(config)
    in_order(files, keep_all(settings), now_ms(), path)
    return read_stream(path, settings, now_ms())


def with_positive(config: Config, positive: str) -> Config:
    """The configuration in which only what `positive` names is an event.

    >>> with_positive(Config(), "rating >= 4.5").events.rating_threshold
    4.5
    """
    if not positive:
        return config
    found = _POSITIVE.fullmatch(positive)
    if not found:
        raise ConfigError(f"--positive {positive!r} is not understood: write 'rating>=4.5'")
    events = msgspec.structs.replace(
        config.events, rating_rule="threshold", rating_threshold=float(found[1]),
        zero_weight="ignore",
    )  # fmt: skip
    return msgspec.structs.replace(config, events=events)


def in_mode(config: Config, mode: str, seed: int, events: Path, warmup: int = 0) -> Config:
    """The configuration of one run: strict is one shard, event by event; parallel is as set.

    Of the `warmup` each shard has its share.
    """
    replace = msgspec.structs.replace
    job = config.job
    if mode == "strict":
        job = replace(job, strict=True, shards=1, item_shards=1, parallelism=1)
    return replace(
        config,
        source=replace(config.source, kind="files", paths=[str(events)]),
        model=replace(config.model, seed=seed),
        quality=replace(config.quality, every=1, after=warmup // job.shards),
        dead_letters=replace(config.dead_letters, kind="none"),
        state=replace(config.state, restore="", checkpoints=""),
        job=job,
    )
