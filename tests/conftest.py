"""What all tests share: one private Redis or Redis Cluster, emptied for each test, and time on a
busy machine."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

import udfs
from flink_app.config import Config
from flink_app.local.redis_server import RedisServer
from tests.udfs.redis_nodes import RedisNodes
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner

# The first example of a property may compile a kernel.
settings.register_profile("millirec", deadline=None)
settings.load_profile("millirec")


def pytest_configure() -> None:
    """Let commands that tests start be interrupted, also where the tests were told to ignore that
    (`nohup`, a shell's background): what is ignored is inherited, what does nothing is not."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


def pytest_sessionstart() -> None:
    """Drop cached kernels older than any kernel: Numba compares each with its own file only, not
    with the files of those it calls."""
    folder = Path(udfs.__file__).parent
    newest = max(path.stat().st_mtime for path in folder.rglob("*kernels.py"))
    for cached in folder.rglob("__pycache__/*.nb[ic]"):
        if cached.stat().st_mtime < newest:
            cached.unlink()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile the kernels before the first job: its tests wait for lists, not for a compiler."""
    if any(item.get_closest_marker(kind) for item in session.items for kind in ("job", "stack")):
        learner = Config().settings
        Learner(learner).compile()
        ItemShard.compile(learner)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """A Redis for the whole run; use `redis_url`, which empties it."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The address of an empty Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture
def redis_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client of the empty Redis at `redis_url`."""
    with redis.Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture(scope="module")
def redis_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisNodes]:
    """A Redis Cluster of three nodes for a module; use `nodes`, which empties it."""
    with RedisNodes(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def nodes(redis_nodes: RedisNodes) -> RedisNodes:
    """An empty Redis Cluster."""
    for client in redis_nodes.clients:
        client.flushall()
    return redis_nodes
