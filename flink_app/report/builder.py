"""`millirec report`: makes a page from the files of an evaluation, or from a running job's Redis.

In: a loaded configuration and what to report on. Out: an HTML file, and a line that sums it up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import redis
from rich.console import Console

from flink_app import __version__
from flink_app.config import Loaded
from flink_app.config.writable import require_file, write_file
from flink_app.connections.redis_access import find_redis
from flink_app.console.live import LiveLine
from flink_app.console.totals import Totals, read_totals
from flink_app.lookup.lists import titles
from flink_app.lookup.sample import Sample, read_sample
from flink_app.report.evaluated import evaluated_page, read_results
from flink_app.report.page import Page, check_packages, html
from flink_app.report.running import running_page
from udfs.errors import ConfigError, ServiceError
from udfs.stores.redis_refusals import FAILURES, told, words

_LOOK_S = 2.0
_MAX_LOOKS = 600  # points of a line at most


def report(loaded: Loaded, files: Sequence[Path], out: Path, watch: float) -> None:
    """Write the report.

    Args:
        files: written by `millirec evaluate --out`; without any, the job that writes to Redis.
        watch: for how many seconds to observe a running job.

    Raises:
        ConfigError: files are combined with `watch`, or a package is missing. SourceError: a file
            cannot be used. ServiceError: Redis does not answer or holds nothing of a job, or the
            page cannot be written.
    """
    check_packages()
    if files and watch:
        raise ConfigError("--watch observes a running job: leave out either it or the files")
    if watch < 0:
        raise ConfigError(f"--watch is {watch:g}; it must be at least 0")
    require_file(out, "--out")
    console = Console(highlight=False)
    moment = datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    made = f"Made by millirec {__version__} report on {moment}."
    page = evaluated_page(read_results(files), made) if files else _running(loaded, watch, made)
    text = html(page)
    try:
        write_file(out, text.encode())
    except OSError as error:
        raise ServiceError(f"{out} cannot be written: {error.strerror}") from error
    console.print(f"{page.title}: {page.subtitle}", soft_wrap=True, markup=False)
    console.print(f"written: {out} ({len(text) / 1000:,.0f} kB)", soft_wrap=True, markup=False)


def _running(loaded: Loaded, watch: float, made: str) -> Page:
    prefix = loaded.config.redis.prefix
    client, address = find_redis(loaded)
    with client, LiveLine(Console(stderr=True)) as live:
        with told(address):
            looks, sample = observe(client, prefix, watch, live)
        try:
            names = titles(client, prefix, [item for item, _ in sample.most]) if sample else {}
        except FAILURES:
            names = {}
    if not looks:
        raise ServiceError(
            f"there is no {prefix}stats in Redis at {address}: no job has written to it. Start a "
            "job, or name files written by `millirec evaluate --out`."
        )
    return running_page(looks, sample, names, address, made)


def observe(
    client: redis.Redis,
    prefix: str,
    watch: float,
    live: LiveLine,
    wait: Callable[[float], None] = time.sleep,
) -> tuple[list[Totals], Sample | None]:
    """The job's statistics over time, and a sample of its lists, for `watch` seconds.

    Ctrl-C ends it early, and so does the end of Redis, which may be the end of the run.

    Raises:
        redis.RedisError: Redis does not answer, or refuses.
    """
    looks: list[Totals] = []
    sample: Sample | None = None
    began = time.monotonic()
    pause, sampled = max(_LOOK_S, watch / _MAX_LOOKS), -1.0
    try:
        while True:
            spent = time.monotonic() - began
            totals = read_totals(client, prefix)
            if totals is not None and (not looks or totals.at != looks[-1].at):
                looks.append(totals)
            # Lists are sampled repeatedly, because Redis may end with the run.
            if totals is not None and (spent >= watch or spent > 2 * sampled):
                sample, sampled = _sample(client, prefix, totals.items, live) or sample, spent
            if spent >= watch:
                break
            if looks:
                live.figures(looks[-1], spent)
            wait(min(pause, watch - spent))
    except KeyboardInterrupt:
        pass
    except FAILURES:
        if not looks:
            raise
        live.say("Redis has stopped; the report covers what was seen until then")
    return looks, sample


def _sample(client: redis.Redis, prefix: str, items: int, live: LiveLine) -> Sample | None:
    """A sample of the lists; None if there are none, or the user may only read statistics."""
    try:
        return read_sample(client, prefix, items)
    except redis.exceptions.NoPermissionError as error:
        live.say(f"the report is about statistics only, without lists: {words(error)}")
        return None
