"""All commands: importing this adds them to `flink_app.commands.app`."""

from __future__ import annotations

from flink_app.commands import (
    cassandra,
    data,
    experiments,
    jobs,
    lookup,
    monitoring,
    people,
    serving,
    simulated,
)
from flink_app.commands.app import app

__all__ = [
    "app",
    "cassandra",
    "data",
    "experiments",
    "jobs",
    "lookup",
    "monitoring",
    "people",
    "serving",
    "simulated",
]
