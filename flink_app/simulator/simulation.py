"""`millirec simulate`: a simulated shop's events into a file, a folder or a Kafka topic.

In: a target and limits, as typed. Out: events, progress on standard error, and what to do with
them. The shop is `flink_app.simulator`.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console
from rich.status import Status

from flink_app.console.live import PLAIN_S, counted
from flink_app.simulator import DirectoryWriter, FileWriter, KafkaWriter, ShopSettings, Writer
from flink_app.simulator import simulate as play
from udfs.errors import ConfigError

_DEFAULT_EVENTS = 100_000
_SHOW_S = 0.1


def simulate(
    target: str, events: int | None, seconds: float | None, rate: float | None, **shop: int
) -> None:
    """Write a shop's events to `target`; `shop` are fields of `ShopSettings`.

    Without `events` and `seconds`: 100,000 events, or until Ctrl-C where a rate is given.

    Raises:
        ConfigError: a limit out of range, a target that cannot be read. ServiceError: it cannot be
            written.
    """
    if events is None and seconds is None and rate is None:
        events = _DEFAULT_EVENTS
    console = Console(stderr=True, highlight=False)
    began = time.monotonic()
    with writer_to(target) as writer:
        status: Any = console.status("writing") if console.is_terminal else nullcontext()
        with _shown(status) as shown:
            progress = _progress(console, shown)
            written = play(ShopSettings(**shop), writer, events, seconds, rate, progress)
    spent = time.monotonic() - began
    pace = f"{written / spent:,.0f}/s" if spent > 0 else "-"
    console.print(f"{counted(written, 'event')} written to {target} in {spent:.1f} s ({pace})")
    console.print(f"learn from them: {how_to_run(target)}", soft_wrap=True)


def writer_to(target: str) -> Writer:
    """The writer for a target: kafka://host:port/topic, a folder, else a file.

    Raises:
        ConfigError: a kafka:// target without broker or topic. ServiceError: it cannot be opened.
    """
    if target.startswith("kafka://"):
        return KafkaWriter(*_kafka(target))
    path = Path(target).expanduser()
    if target.endswith("/") or path.is_dir():
        return DirectoryWriter(path)
    return FileWriter(path)


def how_to_run(target: str) -> str:
    """The command that learns from what was written.

    >>> how_to_run("kafka://127.0.0.1:9092/events")
    'millirec run --set source.kind=kafka --set source.brokers=127.0.0.1:9092 --set \
source.topic=events'
    >>> how_to_run("events.jsonl")
    'millirec run events.jsonl'
    """
    if target.startswith("kafka://"):
        brokers, topic = _kafka(target)
        settings = {"kind": "kafka", "brokers": brokers, "topic": topic}
        flags = [f"--set {shlex.quote(f'source.{key}={value}')}" for key, value in settings.items()]
        return " ".join(["millirec run", *flags])
    if target.endswith("/") or Path(target).is_dir():
        return f"millirec run {shlex.quote(target)} --set source.kind=directory"
    return f"millirec run {shlex.quote(target)}"


def _kafka(target: str) -> tuple[str, str]:
    parts = urlsplit(target)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic:
        raise ConfigError(f"{target} cannot be written to: write kafka://host:port/topic.")
    return parts.netloc, topic


def _shown(status: Any) -> AbstractContextManager[Status | None]:
    return status  # type: ignore[no-any-return]


def _progress(console: Console, status: Status | None) -> Callable[[int], None]:
    """A function that shows the number written: at once in a terminal, else every 5 seconds."""
    last = time.monotonic()

    def show(written: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last < (_SHOW_S if status else PLAIN_S):
            return
        last = now
        if status:
            status.update(f"{written:,} events")
        else:
            console.print(f"{written:,} events")

    return show
