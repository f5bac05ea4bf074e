"""`millirec demo`, from an empty machine to a list that follows a click, with nothing left behind.

In: how long to run, and REDIS_URL if a Redis is given. Out: what `Screen` shows. Java, Redis and
the temporary folder last as long as the demo.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import redis
from rich.console import Console

from flink_app.config import load
from flink_app.connections.redis_access import redis_address, redis_client
from flink_app.connections.redis_start import require_rights
from flink_app.console.failures import FINISHED, STOPPED
from flink_app.console.totals import Totals, read_totals
from flink_app.demo.outcome import Outcome, summarise
from flink_app.demo.page import page
from flink_app.demo.rounds import WAIT_S, Audience
from flink_app.demo.screen import Screen
from flink_app.demo.world import PAST, Traffic, demo_config, demo_settings
from flink_app.local import java_options
from flink_app.local.embedded_job import EmbeddedJob
from flink_app.local.redis_server import RedisServer
from flink_app.simulator.scenarios import Scenario, Words, scenario
from flink_app.simulator.world import World
from flink_app.writers.files import DirectoryWriter
from udfs.errors import ConfigError, ServiceError
from udfs.stores.redis_refusals import told

_PREFIX = "millirec-demo:"  # in a Redis that is not the demo's own
_PATIENCE_S = 120.0
_LOOK_S, _CLICK_S, _STAY_S = 1.6, 0.9, 4.0
_SETTLE_S = 15.0
_SAMPLES, _TICK_S = 5, 0.25


def demo(seconds: float | None = None, name: str = "") -> int:
    """Show a world, its job and lists that follow clicks; see the module. Returns the exit code.

    seconds: counted from when the world's past is learned; 0 runs until Ctrl-C, and None takes the
    environment variable DEMO_SECONDS. name: of the scenario; "" takes DEMO_SCENARIO, or the shop.
    Raises ConfigError if these are no number of seconds and no scenario, ServiceError if Java,
    Redis or the job fail.
    """
    limit = _seconds() if seconds is None else seconds
    chosen = scenario(name or os.environ.get("DEMO_SCENARIO") or "shop")
    outcome = Outcome()
    world, console = chosen.world(chosen.demo), Console()
    try:
        with _ends_like_ctrl_c(), Screen(console, world, chosen.words) as screen:
            _run(chosen, world, screen, limit, outcome)
    except KeyboardInterrupt:
        if not outcome.rounds:
            console.print("Ended before the first list.", highlight=False)
            return STOPPED
    summarise(console, outcome, chosen.words)
    return FINISHED


def _seconds() -> float:
    given = os.environ.get("DEMO_SECONDS", "") or "0"
    try:
        seconds = float(given)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise ConfigError(
            f"DEMO_SECONDS is {given!r}: give a number of seconds, or 0 to run until Ctrl-C."
        )
    return seconds


def _run(chosen: Scenario, world: World, screen: Screen, limit: float, outcome: Outcome) -> None:
    screen.stage("Starting Redis")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millirec-demo-")))
        url, prefix = stack.enter_context(_redis())
        client = stack.enter_context(contextlib.closing(redis.Redis.from_url(url)))
        settings = demo_settings(url, prefix, folder, chosen.choices)
        site = stack.enter_context(page(settings, url))
        if site is not None:
            screen.say(
                f"Live page: {site.url}/  (as the {chosen.words.place}'s u17, or as a new user)"
            )
            site.open()
        screen.stage("Starting Java")
        job = stack.enter_context(
            EmbeddedJob(
                demo_config(settings), folder / "millirec.log", screen.warn, java=java_options.SMALL
            )
        )
        screen.stage(
            "Starting Flink, and compiling for this processor, for a minute the first time"
            if job.compiles
            else "Starting Flink"
        )
        job.submit()
        traffic = stack.enter_context(Traffic(world, chosen.rate, folder / "inbox"))
        show = _Show(screen, client, prefix, job, traffic, outcome)
        show.wait_for_lists(chosen.words)
        inbox = DirectoryWriter(folder / "inbox")
        audience = Audience(world, chosen.taken, client, prefix, inbox)
        try:
            show.rounds(audience, limit)
        finally:
            screen.clear()
            outcome.looks, outcome.earned = audience.looks, audience.earned
            outcome.earned_by_popular = audience.earned_by_popular
            outcome.published, outcome.newcomers = audience.newcomers()
            visits = site.accepted if site is not None else 0
            show.settle(audience.clicks + visits)
            screen.stage("Stopping Flink, Java and Redis")


class _Show:
    """The part of the demo in which everything runs."""

    def __init__(
        self,
        screen: Screen,
        client: redis.Redis,
        prefix: str,
        job: EmbeddedJob,
        traffic: Traffic,
        outcome: Outcome,
    ) -> None:
        self._screen, self._client, self._prefix = screen, client, prefix
        self._job, self._traffic, self._outcome = job, traffic, outcome
        self._began = time.monotonic()

    def wait_for_lists(self, words: Words) -> None:
        """Wait until the world's past is learned and lists exist; then start its present."""
        stage = "Warming up the job"
        for events in accumulate(PAST):
            self._wait(stage, events)
            stage = f"Learning the {words.place}'s past, {sum(PAST):,} events"
        self._traffic.go_on()

    def _wait(self, text: str, events: int) -> None:
        """Start the next phase of the traffic and wait until `events` events are learned."""
        self._traffic.go_on()
        end = time.monotonic() + _PATIENCE_S
        learned = 0
        while learned < events:
            if time.monotonic() > end:
                raise ServiceError(
                    f"{learned:,} events were learned within {_PATIENCE_S:.0f} s, not {events:,}: "
                    "is this machine very busy?"
                )
            self._check()
            totals = self._totals()
            learned = totals.learned + totals.ignored  # searches are no events
            self._screen.stage(text, f"{learned:,}")
            time.sleep(0.1)

    def rounds(self, audience: Audience, limit: float) -> None:
        """Users look and take an item, one after another, for `limit` seconds; 0: until Ctrl-C."""
        end = time.monotonic() + limit if limit else float("inf")
        # On a very busy machine the first list may be late: the demo waits for at least one.
        latest = end + _PATIENCE_S
        while time.monotonic() < (end if self._outcome.rounds else latest):
            chosen = audience.choose()
            if chosen is None:
                self._pass(_TICK_S, audience)
                continue
            self._screen.looks(chosen)
            self._pass(_LOOK_S, audience)
            self._screen.clicks(chosen)
            self._pass(_CLICK_S, audience)
            done = audience.click(chosen, self._check)
            if done is None:
                self._screen.say(f"{chosen.user}'s list did not follow within {WAIT_S:.0f} s.")
                continue
            self._outcome.rounds.append(done)
            self._screen.follows(done)
            self._pass(min(_STAY_S, max(0.0, end - time.monotonic())), audience)
            self._screen.keep(done)

    def settle(self, clicks: int) -> None:
        """Stop the traffic and wait, at most 15 s, until all of it is accounted for."""
        self._traffic.stop()
        self._outcome.written = self._traffic.written + clicks
        end = time.monotonic() + _SETTLE_S
        while time.monotonic() < end:
            self._outcome.totals = self._totals()
            if self._outcome.accounted >= self._outcome.written:
                break
            time.sleep(0.1)

    def _pass(self, seconds: float, audience: Audience) -> None:
        """Let time pass while figures are updated and more users are shown lists."""
        end = time.monotonic() + seconds
        while True:
            self._check()
            audience.compare(_SAMPLES)
            totals = self._totals()
            # Lines about items and users are no events: with them the job would seem to keep up.
            self._traffic.sweep(totals.received - totals.described)
            self._screen.figures(totals, time.monotonic() - self._began)
            left = end - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(_TICK_S, left))

    def _check(self) -> None:
        self._job.check()
        self._traffic.check()

    def _totals(self) -> Totals:
        return read_totals(self._client, self._prefix) or Totals()


@contextlib.contextmanager
def _redis() -> Iterator[tuple[str, str]]:
    """A Redis and the prefix of the demo's keys: REDIS_URL's, later cleaned up, or a new one."""
    url = os.environ.get("REDIS_URL", "")
    if not url:
        with RedisServer() as server:
            yield server.url, ""
        return
    config = load(None, [f"redis.url={url}", f"redis.prefix={_PREFIX}"], {}).config
    with contextlib.closing(redis_client(config)) as client, told(redis_address(config)):
        require_rights(client, config)
        _delete_keys(client)
        try:
            yield url, _PREFIX
        finally:
            _delete_keys(client)


def _delete_keys(client: redis.Redis) -> None:
    for key in client.scan_iter(f"{_PREFIX}*", count=1000):
        client.delete(key)


@contextlib.contextmanager
def _ends_like_ctrl_c() -> Iterator[None]:
    """Make SIGTERM and a closed terminal end the demo as cleanly as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    handled = [number for number in _SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in handled}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
