"""The writer for a target as typed on the command line.

In: kafka://host:port/topic, a folder or a file. Out: a `Writer`, and the command that learns from
what it writes.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from urllib.parse import urlsplit

from flink_app.config.paths import local
from flink_app.writers.files import DirectoryWriter, FileWriter, Writer
from flink_app.writers.kafka import KafkaWriter
from udfs.errors import ConfigError


def writer_to(target: str) -> Writer:
    """The writer for a target: kafka://host:port/topic, a folder, else a file.

    Raises:
        ConfigError: a kafka:// target without a broker or topic. ServiceError: it cannot be
            opened.
    """
    if target.startswith("kafka://"):
        return KafkaWriter(*_kafka(target))
    path = local(target)
    if target.endswith("/") or path.is_dir():
        return DirectoryWriter(path)
    return FileWriter(path)


def how_to_run(target: str, settings: Sequence[str] = ()) -> str:
    """The command that learns from what was written; settings: more of them, as for `--set`.

    >>> how_to_run("kafka://127.0.0.1:9092/events")
    'millirec run --set source.kind=kafka --set source.brokers=127.0.0.1:9092 --set \
source.topic=events'
    >>> how_to_run("events.jsonl")
    'millirec run events.jsonl'
    >>> how_to_run("events.jsonl", ["events.weights.watch=1.5"])
    'millirec run events.jsonl --set events.weights.watch=1.5'
    """
    given = [f"--set {shlex.quote(setting)}" for setting in settings]
    if target.startswith("kafka://"):
        brokers, topic = _kafka(target)
        source = {"kind": "kafka", "brokers": brokers, "topic": topic}
        flags = [f"--set {shlex.quote(f'source.{key}={value}')}" for key, value in source.items()]
        return " ".join(["millirec run", *flags, *given])
    if target.endswith("/") or local(target).is_dir():
        given.insert(0, "--set source.kind=directory")
    return " ".join(["millirec run", shlex.quote(target), *given])


def _kafka(target: str) -> tuple[str, str]:
    parts = urlsplit(target)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic:
        raise ConfigError(f"{target} cannot be written to: write kafka://host:port/topic.")
    return parts.netloc, topic
