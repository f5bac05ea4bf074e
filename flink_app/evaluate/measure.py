"""One evaluated run: the job on the embedded MiniCluster over a file, every event tested.

In: a `Config`, the events if they are to be paced. Out: a `Result`, read from what the job itself
writes to `stats`.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import msgspec
import redis

from flink_app.config import Config
from flink_app.console.totals import Totals, read_totals
from flink_app.evaluate.paced import play
from flink_app.evaluate.results import Point, Result
from flink_app.local.embedded_job import EmbeddedJob
from flink_app.local.redis_server import RedisServer
from flink_app.lookup.sample import read_sample
from udfs.accounts import LISTS, RATINGS
from udfs.learning.settings import Trial

_POLL_S = 0.1
_PARTS = 20
_RECALL = ":recall@10"


def measure(
    config: Config,
    mode: str,
    trial: Trial,
    events: Path,
    lines: int,
    progress: Callable[[int], None],
) -> Result:
    """Run the job of `config` until it has learned all events.

    Args:
        trial: which events are tests. events: the ordered file; if the job watches a folder, they
            go there as they are due. lines: how many there are. progress: called with the lines
            read so far.
    """
    seen: list[Totals] = []
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(RedisServer())
        changed = msgspec.structs.replace(config.redis, url=server.url)
        config = msgspec.structs.replace(config, redis=changed)
        client = stack.enter_context(contextlib.closing(redis.Redis.from_url(server.url)))
        # PyFlink can be connected to one Java process only in the life of a Python process.
        pool = stack.enter_context(ProcessPoolExecutor(1, get_context("spawn")))
        began = time.monotonic()
        job = pool.submit(_run, config, trial, events)
        while True:
            done = job.done()
            totals = read_totals(client, config.redis.prefix)
            if totals is not None and (not seen or totals.at != seen[-1].at):
                seen.append(totals)
                progress(min(totals.learned + totals.ignored, lines))
            if done:
                job.result()
                break
            time.sleep(_POLL_S)
        seconds = time.monotonic() - began
        last = seen[-1]
        sample = read_sample(client, config.redis.prefix, last.items)
    return Result(
        mode=mode,
        served=config.lists.model,
        seed=config.model.seed,
        events=last.learned,
        seconds=round(seconds, 1),
        quality=last.total_quality,
        curve=curve([(totals.learned, totals.total_quality) for totals in seen]),
        microseconds={k: round(v / max(last.learned, 1), 1) for k, v in last.stages.items()},
        rmse=last.total_quality.get(f"{RATINGS}:rmse"),
        sample=sample,
    )


def _run(config: Config, trial: Trial, events: Path) -> None:
    log, live = events.with_name("millirec.log"), config.source.kind == "directory"
    folder = Path(config.source.paths[0])
    if live:
        folder.mkdir()
    with EmbeddedJob(config, log, lambda _: None, trial) as job:
        job.submit()
        if live:
            with contextlib.closing(redis.Redis.from_url(config.redis.url)) as client:
                play(events, folder, lambda: read_totals(client, config.redis.prefix), job.check)
        while not (live or job.finished()):
            time.sleep(_POLL_S)


def curve(looks: Sequence[tuple[int, dict[str, float]]], parts: int = _PARTS) -> list[Point]:
    """Means since the beginning, as they were read one after the other, as means of stretches.

    Args:
        looks: events learned by then, and the means by `<list>:<measure>`.

    >>> looks = [(n + 1, {"served:tests": n, "served:recall@10": m, "popular:recall@10": 0.0})
    ...          for n, m in ((10, 0.0), (15, 0.1), (20, 0.25))]
    >>> [(point.events, point.tests, point.served) for point in curve(looks, parts=2)]
    [(11, 10, 0.0), (21, 20, 0.5)]
    """
    points: list[Point] = []
    total = looks[-1][1].get("served:tests", 0.0) if looks else 0.0
    begin: dict[str, float] = {}
    for events, quality in looks:
        tests, before = quality.get("served:tests", 0.0), begin.get("served:tests", 0.0)
        if tests > before and (tests - before >= total / parts or tests == total):
            values = {
                key.removesuffix(_RECALL): round(
                    (mean * tests - begin.get(key, 0.0) * before) / (tests - before), 4
                )
                for key, mean in quality.items()
                if key.endswith(_RECALL)
            }
            lists = {name: values.pop(name) for name in LISTS if name in values}
            points.append(Point(events, int(tests), **lists, models=values))
            begin = quality
    return points
