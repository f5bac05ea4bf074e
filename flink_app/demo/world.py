"""The demo's world: a small platform whose truth is known, and the configuration of its job.

In: folders and a Redis. Out: a `Config`, and a thread that writes the world's events as JSON lines
into the folder that the job watches.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from flink_app.config import Config, load
from flink_app.simulator import play
from flink_app.simulator.world import World
from flink_app.writers.files import DirectoryWriter
from udfs.errors import MillirecError

PAST = (100, *[4_780] * 5)
"""Events of the world's past, in portions, each written once the previous one is learned, so that a
slow machine does not start the show with a backlog. On one core the first one waits up to a minute
for the compiler; it is less than 1 % of all, which keeps that out of the p99 of freshness."""

_PAST_RATE = 6_000.0
_KEEP_S = 5.0  # minimum time that a file stays in the inbox

CHOICES = (
    "model.dimensions=16",
    "identity.enabled=true",  # the page has a log-in
    # With one subtask and few events, splitting each micro-batch into eight would only cost time.
    "job.shards=1",
    "job.item_shards=1",
    # The search by cluster, for large catalogues, would have to be compiled first.
    'lists.search="exact"',
)
"""What the job of every demo is told, besides its scenario's options."""


def demo_settings(redis_url: str, prefix: str, folder: Path, options: Sequence[str]) -> list[str]:
    """The settings, as for `--set`, of the job and of `millirec serve`; apart from Redis, they
    write only below `folder`. The inbox `folder`/inbox is created. options: those of the scenario.
    """
    inbox = folder / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    settings = {
        "source.kind": "directory",
        "source.paths": [str(inbox)],
        "dead_letters.path": str(folder / "dead-letters"),
        "redis.url": redis_url,
        "redis.prefix": prefix,
        "redis.expiry_s": 3600,
        "flink.options": {"io.tmp.dirs": str(folder), "web.tmpdir": str(folder)},
    }
    return [*(f"{name}={_toml(value)}" for name, value in settings.items()), *CHOICES, *options]


def demo_config(settings: Sequence[str]) -> Config:
    """The job's configuration, which ignores the environment, so that demos are comparable."""
    return load(None, settings, {}).config


def _toml(value: object) -> str:
    """A value as TOML; strings, numbers and lists are written as in JSON."""
    if isinstance(value, dict):
        pairs = (f"{_toml(key)} = {_toml(entry)}" for key, entry in value.items())
        return "{" + ", ".join(pairs) + "}"
    return msgspec.json.encode(value).decode()


class Traffic:
    """Context manager: a thread writes the world's events until the context is left.

    They are written in phases, each started by `go_on`: the portions of `PAST`, then the
    present, at `rate` events per second.
    """

    def __init__(self, world: World, rate: float, inbox: Path) -> None:
        self._world, self._rate, self._inbox = world, rate, inbox
        self._stop = threading.Event()
        self._due = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="world", daemon=True)
        self._failure: MillirecError | None = None
        self._behind = 0.0
        self._others = 0  # events that were surely written by others
        self.written = 0
        """Events written so far."""

    def go_on(self) -> None:
        """Start the next phase."""
        self._due.release()

    def check(self) -> None:
        """Raise the exception that ended the thread, if there was one."""
        if self._failure is not None:
            raise self._failure

    def sweep(self, received: int) -> None:
        """Delete files that were read a while ago, so that the watched folder stays small.

        received: events that the job has read, also those that others have written, such as who
            clicks on the page: these do not show that the job keeps up. Nothing is deleted while it
            is behind, and for a while after: Flink reads the newest file first, so the last to be
            read are old.
        """
        oldest = time.time() - _KEEP_S
        self._others = max(self._others, received - self.written)
        if received - self._others < self.written - self._rate:
            self._behind = time.time()
        if self._behind > oldest:
            return
        for path in self._inbox.glob("[0-9]*.jsonl"):
            if path.stat().st_mtime < oldest:
                path.unlink()

    def stop(self) -> None:
        """Stop writing, after the current batch."""
        self._stop.set()
        self._due.release()
        if self._thread.is_alive():
            self._thread.join()

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        phases = [*((events, _PAST_RATE) for events in PAST), (None, self._rate)]
        try:
            with DirectoryWriter(self._inbox) as writer:
                for events, rate in phases:
                    if not self._stop.is_set():
                        self._due.acquire()
                    before = self.written

                    def note(count: int, before: int = before) -> None:
                        self.written = before + count

                    play(self._world, writer, events, None, rate, note, self._stop)
        except MillirecError as error:
            self._failure = error
