"""The whole stack, started once for all tests that need it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.download import CACHE, fetch, pinned
from deploy.stack import Ports, Stack
from flink_app.local.ports import in_use
from tests.deploy.stack.cluster import Cluster, cleared
from udfs.errors import ServiceError


@pytest.fixture(scope="session")
def jars() -> Path:
    try:
        fetch(pinned("kafka", "log", "flink"), CACHE)
    except ServiceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the jars of Kafka and its connector are needed: {error}")
    return CACHE


@pytest.fixture(scope="session")
def running(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Kafka, Redis and Flink with two TaskManagers; all are removed afterwards."""
    stack = Stack(tmp_path_factory.mktemp("stack"), Ports.free(), jars)
    try:
        assert stack.up() == ["kafka", "redis", "flink"]
        pids = [pid for line in stack.status() for pid in line.pids]
        yield stack
    finally:
        ended = stack.down()
    assert ended == ["flink", "redis", "kafka"]
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert not any(in_use(getattr(stack.ports, name)) for name in Ports.__struct_fields__)


@pytest.fixture
def cluster(running: Stack) -> Iterator[Cluster]:
    with cleared(running) as cluster:
        yield cluster
