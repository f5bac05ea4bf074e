"""What all tests share: one private Redis or Redis Cluster, emptied for each test, time on a busy
machine, a watch over what is logged, and how they are parted among several processes."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

import udfs
from flink_app.config import Config
from flink_app.local.redis_server import RedisServer
from tests.udfs.redis_nodes import RedisNodes
from tests.unnamed import Watch, folders_of_runs, in_files
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner

# The first example of a property may compile a kernel.
settings.register_profile("millirec", deadline=None)
settings.load_profile("millirec")

_BEGAN = time.time()
_WATCH = Watch()


def pytest_configure(config: pytest.Config) -> None:
    """Let commands that tests start be interrupted, also where the tests were told to ignore that
    (`nohup`, a shell's background): what is ignored is inherited, what does nothing is not."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    logging.getLogger().addHandler(_WATCH)
    logging.getLogger().setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the tests' own requests
    if "FLINK_LOG_DIR" not in os.environ:  # where the Java of jobs in this process logs to
        os.environ["FLINK_LOG_DIR"] = folder = tempfile.mkdtemp(prefix="millirec-tests-")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(autouse=True)
def _unnamed() -> Iterator[None]:
    """No test logs the id of a user."""
    _WATCH.found.clear()
    yield
    assert not _WATCH.found, f"the log names users: {_WATCH.found}"


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the tests of a file in one process, and all with the real stack, which share it."""

    def _split_scope(self, nodeid: str) -> str:
        folder, _, file = nodeid.partition("::")[0].rpartition("/")
        return "stack" if folder == "tests/deploy/stack" else f"{folder}/{file}"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are parted among processes."""
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests with the real stack, which take longest."""
    items.sort(key=lambda item: not item.nodeid.startswith("tests/deploy/stack/"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """No job has logged the id of a user."""
    if hasattr(session.config, "workerinput"):
        return  # the process that started this one looks
    folders = [Path(os.environ["FLINK_LOG_DIR"]), *folders_of_runs()]
    if found := in_files(iter(set(folders)), _BEGAN):
        print(f"\nlogs of jobs name users: {found[:5]}")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_sessionstart() -> None:
    """Drop cached kernels older than any kernel: Numba compares each with its own file only, not
    with the files of those it calls."""
    folder = Path(udfs.__file__).parent
    newest = max(path.stat().st_mtime for path in folder.rglob("*kernels.py"))
    for cached in folder.rglob("__pycache__/*.nb[ic]"):
        if cached.stat().st_mtime < newest:
            cached.unlink(missing_ok=True)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Compile the kernels before the first job: its tests wait for lists, not for a compiler. Of
    several processes, one compiles and the others load what it has cached."""
    if any(item.get_closest_marker(kind) for item in session.items for kind in ("job", "stack")):
        learner = Config().settings
        with (Path(tempfile.gettempdir()) / "millirec-tests-compile.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
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
