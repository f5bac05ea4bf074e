"""`millirec evaluate`, top to bottom: order the events, run each mode, baseline and seed, report.

In: a loaded configuration and what to run. Out: a table on standard output, figures as JSON.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from flink_app.config import Config
from flink_app.config.check import check
from flink_app.config.writable import require_file, write_file
from flink_app.evaluate.closer import look_closer
from flink_app.evaluate.compared import Start, chosen, compare
from flink_app.evaluate.item_entries import item_entries
from flink_app.evaluate.measure import measure
from flink_app.evaluate.ordered import as_written, in_order
from flink_app.evaluate.plot import check_plot, save
from flink_app.evaluate.prequential import Rule
from flink_app.evaluate.replay import Plan
from flink_app.evaluate.results import Result, has_tests
from flink_app.evaluate.said import said as in_words
from flink_app.evaluate.table import show
from flink_app.evaluate.testable import NothingToTest, require_test
from flink_app.evaluate.user_entries import user_entries
from flink_app.graph.event_settings import decode_settings
from flink_app.lookup.lists import now_ms
from udfs.errors import ConfigError
from udfs.learning.settings import Trial
from udfs.options.sources import ALWAYS_TESTED, testable

if TYPE_CHECKING:
    from typing_extensions import Unpack

SERVABLE = ("ranker", *testable(), ALWAYS_TESTED)
"""Models that can be served, those first that need others."""

_POSITIVE = re.compile(r"\s*rating\s*>=\s*(-?\d+(?:\.\d+)?)\s*")


class More(TypedDict, total=False):
    """Arguments of `evaluate` that are seldom given.

    Attributes:
        warmup: how many events are learned before the first test, by default 0; half of them all.
        freeze: whether nothing is learned after the warm-up, but what each user does.
        models: whose lists are tested; by default those that the configuration serves.
        sessions: whether each session is taken for a user, see `of_sessions`.
        repeat: whether lists hold what a user had before, and events on such items are tests.
        items: files about items, which the job knows before the first event.
        users: files of profiles of users, likewise.
        plot: where the picture of quality over time goes, .svg or .png.
        console: where the report goes, by default to standard output.
    """

    warmup: int | Literal["half"]
    freeze: bool
    models: Sequence[str]
    sessions: bool
    repeat: bool
    items: Sequence[Path]
    users: Sequence[Path]
    plot: Path | None
    console: Console | None


def evaluate(
    config: Config,
    files: Sequence[Path],
    modes: Sequence[str],
    seeds: int,
    positive: str,
    out: Path | None,
    baselines: Sequence[str] = (),
    **more: Unpack[More],
) -> list[Result]:
    """Run and report.

    Args:
        modes: strict, parallel (see `in_mode`). seeds: how many, from `model.seed` up.
        positive: "rating>=4.5" or "", for which every event counts as its weight says.
        out: where the JSON goes.
        baselines: names of `BASELINES`, or all.
        more: what few callers set, by name; see `More`.

    Raises:
        ConfigError, SourceError, JobFailed: what cannot be evaluated. NothingToTest: what would
            give no figures; nothing is written then.
    """
    plot, warmup, freeze = more.get("plot"), more.get("warmup", 0), more.get("freeze", False)
    if freeze and not warmup:
        raise ConfigError(
            "--freeze learns nothing after the warm-up: say how long that is, such as --warmup half"
        )
    if plot is not None:
        check_plot(plot)
    require_file(out, "--out")
    require_file(plot, "--plot")
    if baselines and config.lists.exclude_own:
        raise ConfigError(
            "--baseline tests events on items that users have published themselves, and "
            "lists.exclude_own does not: leave one of them out, or their tests differ"
        )
    config = with_models(with_positive(config, positive), more.get("models", ()))
    if more.get("sessions"):
        config = of_sessions(config)
    if more.get("repeat"):
        lists = replace(config.lists, exclude_consumed=False)
        config = replace(config, lists=lists)
    check(in_mode(config, "strict", config.model.seed, files[0]))
    console, err = more.get("console") or Console(highlight=False), Console(stderr=True)
    names = chosen(baselines, bool(warmup), console)
    results: list[Result] = []
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millirec-evaluate-")))
        ordered = folder / "events"
        settings = decode_settings(config)
        lines, left_out, untimed = in_order(files, settings, now_ms(), ordered)
        without = f", {untimed:,} of them without a time" if untimed else ""
        console.print(f"{lines:,} events in order of time; {left_out:,} lines left out{without}")
        after = lines // 2 if warmup == "half" else warmup
        if after >= lines:
            raise ConfigError(f"--warmup {after} leaves no test: there are {lines:,} events")
        repeat = not config.lists.exclude_consumed
        if config.model.loss != "squared":  # else the error of ratings is a result by itself
            written = decode_settings(as_written(config))
            require_test(ordered, written, now_ms(), after, repeat=repeat)
        start = _progress(stack, err, lines)
        entries = item_entries(config, more.get("items", ()), now_ms())
        if entries:
            console.print(f"{len(entries):,} items are known before the first event")
        known, said = user_entries(config, more.get("users", ()), now_ms())
        if known:
            console.print(f"{known:,} users have profiles before the first event")
        every_seed = range(config.model.seed, config.model.seed + seeds)
        # Baselines take seconds, and may refuse: they come first, and last in the report.
        others = compare(config, files, folder, (names, every_seed), Rule(after, freeze), start)
        for mode in modes:
            for seed in every_seed:
                changed = in_mode(as_written(config), mode, seed, ordered)
                trial = trial_of(changed, mode, after)
                trial = replace(trial, freeze=freeze, items=entries, people=said)
                progress = start(f"{mode}, seed {seed}")
                results.append(measure(changed, mode, trial, ordered, lines, progress))
        if results and out is not None:
            alone = in_mode(as_written(config), "strict", config.model.seed, ordered)
            plan, progress = Plan(now_ms(), after, freeze), start("a closer look")
            closer = look_closer(alone, ordered, (entries, said), plan, progress)
            results[0] = replace(results[0], closer=closer)
    results += others
    if not has_tests(results):
        raise NothingToTest("no list was tested, so there is nothing to report")
    show(console, results)
    for sentence in (line for one in results if one.closer for line in in_words(one.closer)):
        console.print(sentence, soft_wrap=True, markup=False)
    if out is not None:
        write_file(out, msgspec.json.format(msgspec.json.encode(results)) + b"\n")
        console.print(f"written: {out}")
    if plot is not None:
        save(results, plot)
        console.print(f"written: {plot}")
    return results


def _progress(stack: contextlib.ExitStack, console: Console, lines: int) -> Start:
    """A function that shows a new bar and returns what moves it on."""
    bars = stack.enter_context(
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
    )

    def start(text: str) -> Callable[[int], None]:
        task = bars.add_task(text, total=lines)
        return lambda done: bars.update(task, completed=done)

    return start


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
    events = replace(
        config.events,
        rating_rule="threshold",
        rating_threshold=float(found[1]),
        zero_weight="ignore",
    )
    return replace(config, events=events)


def of_sessions(config: Config) -> Config:
    """The configuration in which each session is a user of its own, whoever it was.

    >>> of_sessions(Config()).source.fields
    {'user': 'session', 'session': ''}
    """
    place = decode_settings(config).preset.fields.get("session")
    if not place:
        raise ConfigError(
            "--sessions takes each session for a user, but no field names the session: name it, "
            "--set source.fields.session=NAME"
        )
    fields = {**config.source.fields, "user": place, "session": ""}
    return replace(config, source=replace(config.source, fields=fields))


def with_models(config: Config, models: Sequence[str]) -> Config:
    """The configuration that tests the lists of these models; it serves the one that needs most.

    >>> changed = with_models(Config(), ["mf", "item-cf", "popular"])
    >>> changed.lists.model, changed.quality.models
    ('item-cf', ['mf'])
    """
    if not models:
        return config
    served, *others = sorted(set(models), key=SERVABLE.index)
    return replace(
        config,
        lists=replace(config.lists, model=served),
        quality=replace(config.quality, models=[name for name in others if name != ALWAYS_TESTED]),
    )


def trial_of(config: Config, mode: str, warmup: int) -> Trial:
    """How the run of this configuration tests; of the `warmup` each shard has its share.

    >>> trial_of(Config(), "parallel", 100)
    Trial(after=100, freeze=False, sequential=True, per_batch=True, items=[], people=[], nth=True)
    """
    first, live = warmup // config.job.shards, mode == "parallel"
    return Trial(after=first, sequential=live, per_batch=True, nth=True)


def in_mode(config: Config, mode: str, seed: int, events: Path) -> Config:
    """The configuration of one run: strict is one shard, event by event, from a file as fast as it
    can; parallel is as set, from a watched folder, as a live job.

    The ranker learns from every event, unless it is to learn from none: months pass in seconds
    here, and a live job would have had the time.
    """
    job, per_s = config.job, config.ranker.train_per_s
    kind: Literal["files", "directory"] = "directory"
    paths = [str(events.with_name(f"live-{seed}"))]
    if mode == "strict":
        job = replace(job, strict=True, shards=1, item_shards=1, parallelism=1)
        kind, paths = "files", [str(events)]
    return replace(
        config,
        source=replace(config.source, kind=kind, paths=paths, encoding=""),
        model=replace(config.model, seed=seed),
        quality=replace(config.quality, every=1),
        dead_letters=replace(config.dead_letters, kind="none"),
        lists_topic=replace(config.lists_topic, topic="", format="json"),
        cassandra=replace(config.cassandra, hosts=[]),
        state=replace(config.state, restore="", checkpoints=""),
        job=job,
        ranker=replace(config.ranker, log="", train_per_s=1e6 if per_s else 0.0),
    )
