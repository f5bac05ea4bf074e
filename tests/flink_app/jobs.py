"""Runs whole jobs on the MiniCluster: bounded ones to their end, live ones until told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import redis

from flink_app.config import load
from flink_app.graph.environment import (
    embedded_options,
    environments,
    flink_options,
    prepare_process,
)


def start(url: str, *overrides: str) -> Any:
    """Submit a job; returns Flink's JobClient."""
    prepare_process()
    config = load(None, [f"redis.url={url}", *overrides], {}).config
    stream, tables = environments(embedded_options(config) | flink_options(config))
    from flink_app.job import build

    build(stream, tables, config)
    return stream.execute_async()


def run(url: str, *overrides: str) -> dict[str, str]:
    """Run a bounded job to its end on an emptied Redis; returns the fields of `stats`."""
    client = redis.Redis.from_url(url, decode_responses=True)
    client.flushall()
    start(url, *overrides).get_job_execution_result().result()
    return stats(url)


@contextmanager
def live(url: str, *overrides: str) -> Iterator[Any]:
    """A job that goes on until the block ends; one that ended by itself raises what ended it."""
    job = start(url, *overrides)
    try:
        yield job
    finally:
        with suppress(Exception):  # one that has ended takes its cluster along
            job.cancel().result()
        try:
            job.get_job_execution_result().result()
        except Exception as error:
            if "Job was cancelled" not in str(error):
                raise


def stats(url: str) -> dict[str, str]:
    """The fields of `stats`, as strings."""
    return redis.Redis.from_url(url, decode_responses=True).hgetall("stats")  # type: ignore


def counts(fields: dict[str, str]) -> dict[str, int]:
    """What the accounts add up: received = learned + duplicates + dead + ignored."""
    names = ("received", "learned", "duplicates", "dead", "ignored")
    return {name: int(fields.get(name, 0)) for name in names}


def lists(url: str, pattern: str = "rec:*") -> dict[str, dict[str, Any]]:
    """Every list under `pattern`, by key."""
    client = redis.Redis.from_url(url, decode_responses=True)
    keys = sorted(client.keys(pattern))  # type: ignore[arg-type]
    values = client.mget(keys) if keys else []
    return {key: json.loads(value) for key, value in zip(keys, values, strict=True)}  # type: ignore


def letters(folder: Path) -> list[dict[str, Any]]:
    """The dead letters in a folder."""
    return [
        json.loads(line)
        for part in sorted(folder.rglob("dead-letters*"))
        for line in part.read_text().splitlines()
    ]
