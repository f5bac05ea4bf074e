"""The packaged job where its files, checkpoints and savepoints are on S3 or HDFS: one stack for
both, with two JobManagers."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.download import fetch, pinned
from deploy.stack import COMPONENTS, Ports, Stack
from deploy.stack.hdfs import Hdfs
from deploy.stack.s3 import BUCKET, CREDENTIALS, S3
from flink_app.local.redis_server import RedisServer
from tests.deploy.stack.cluster import Cluster, cleared, package
from tests.flink_app.jobs import counts, stats
from tests.waiting import wait_for

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def wide(jars: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack with S3, HDFS, ZooKeeper and so a second JobManager."""
    extras = ["s3", "hdfs", "zookeeper"]
    fetch(pinned(*extras, "hadoop"), jars)
    stack = Stack(tmp_path_factory.mktemp("wide"), Ports.free(), jars)
    try:
        assert stack.up([*extras, *COMPONENTS]) == [*extras, *COMPONENTS]
        pids = [pid for line in stack.status() for pid in line.pids]
        yield stack
    finally:
        stack.down()
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.fixture
def there(wide: Stack) -> Iterator[Cluster]:
    with cleared(wide) as cluster:
        yield cluster


class Remote:
    """A place in one of the file systems.

    Attributes:
        root: its address.
    """

    def __init__(self, stack: Stack, kind: str, name: str) -> None:
        self._component: Any = stack.component(kind)
        assert isinstance(self._component, (S3, Hdfs))
        self._name = name
        above = f"s3://{BUCKET}" if kind == "s3" else self._component.address
        self.root = f"{above}/{name}"

    def put(self, name: str, lines: list[str]) -> None:
        """A file among those that are read."""
        self._component.put(f"{self._name}/in/{name}", "\n".join([*lines, ""]).encode())

    def letters(self) -> list[str]:
        """The lines of the finished files of dead letters."""
        if isinstance(self._component, S3):
            listed = self._component.ask(f"?list-type=2&prefix={self._name}/dead/").decode()
            files = re.findall(r"<Key>([^<]*)</Key>", listed)
            # What begins with _ is Flink's, of files that were not finished at a checkpoint.
            files = [file for file in files if not file.rpartition("/")[2].startswith("_")]
            texts = [self._component.ask(file).decode() for file in files]
        else:
            texts = list(self._below(f"/{self._name}/dead"))
        return [json.loads(line)["line"] for text in texts for line in text.splitlines()]

    def _below(self, folder: str) -> Iterator[str]:
        try:
            found = json.loads(self._component.ask(f"{folder}?op=LISTSTATUS"))
        except urllib.error.HTTPError:  # not made yet
            return
        for one in found["FileStatuses"]["FileStatus"]:
            path = f"{folder}/{one['pathSuffix']}"
            if one["type"] == "DIRECTORY":
                yield from self._below(path)
            elif not one["pathSuffix"].startswith("."):
                yield self._component.ask(f"{path}?op=OPEN").decode()


def events(first: int, count: int = 200) -> list[str]:
    return [
        json.dumps({"user": f"u{n % 20}", "item": f"i{n % 30}", "type": "view", "id": f"e{n}"})
        for n in range(first, first + count)
    ]


def settings(place: Remote) -> list[str]:
    return [
        "source.kind=directory",
        f'source.paths=["{place.root}/in"]',
        "source.poll_ms=500",
        "dead_letters.kind=files",
        f"dead_letters.path={place.root}/dead",
        f"state.checkpoints={place.root}/checkpoints",
        "state.checkpoint_s=1",
    ]


@pytest.mark.parametrize("kind", ["s3", "hdfs"])
def test_files_checkpoints_and_savepoints(
    wide: Stack, there: Cluster, tmp_path: Path, kind: str
) -> None:
    place = Remote(wide, kind, "shop")
    place.put("1.jsonl", [*events(0), "{broken"])
    archive = package(wide, tmp_path / "job.zip", "unused", *settings(place))
    code = ["-d", "-p", "2", "-pyfs", str(archive), "-pym", "flink_app.main"]

    def seen(learned: int, dead: int) -> Callable[[], bool]:
        expected = {"received": learned + dead, "learned": learned, "dead": dead}
        return lambda: counts(stats(wide.redis_url)).items() >= expected.items()

    job = there.submit(*code)
    wait_for(seen(200, 1), 240)
    done = there.checkpoints(job)["completed"]
    wait_for(lambda: there.checkpoints(job)["completed"] > done, 120)
    place.put("2.jsonl", [*events(200), "17"])
    for number in (1, 2):
        wide.kill(f"taskmanager-{number}")
    wide.revive()
    wait_for(seen(400, 2), 240)
    # Files are completed by a checkpoint, some seconds after their last line.
    wait_for(lambda: sorted(place.letters()) == ["17", "{broken"], 120)
    if kind == "s3":
        _stop_and_go_on(there, job, place, code, seen)
    else:
        there.cancel(job)
    assert sorted(place.letters()) == ["17", "{broken"]


def _stop_and_go_on(
    there: Cluster, job: str, place: Remote, code: list[str], seen: Callable[[int, int], Any]
) -> None:
    """From the latest checkpoint, and from a savepoint."""
    savepoint = there.savepoint(job, f"{place.root}/savepoints")
    place.put("3.jsonl", events(400))
    wait_for(seen(600, 2), 240)
    there.cancel(job)

    again = there.submit(*code, "--set", "state.restore=latest")
    place.put("4.jsonl", events(600))
    wait_for(seen(800, 2), 240)
    there.cancel(again)
    older = there.submit("-s", savepoint, *code)  # of before the third file
    place.put("5.jsonl", events(800))
    wait_for(seen(1000, 2), 240)
    there.cancel(older)


@pytest.mark.parametrize("kind", ["s3", "hdfs"])
def test_a_run_on_this_machine_goes_on_after_it_was_killed(
    wide: Stack, tmp_path: Path, kind: str
) -> None:
    place = Remote(wide, kind, "run")
    place.put("1.jsonl", events(0))
    with RedisServer() as server:
        options = [part for one in settings(place) for part in ("--set", one)]
        command = [sys.executable, "-m", "flink_app", "run", *options]
        environment = {
            **os.environ,
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": wide.component("s3").address,
            "REDIS_URL": server.url,
        }

        def start(*more: str) -> subprocess.Popen[str]:
            return subprocess.Popen(
                [*command, *more],
                env=environment,
                cwd=tmp_path,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )

        second = first = start()
        try:
            wait_for(lambda: counts(stats(server.url))["learned"] == 200, 240)
            time.sleep(3)  # checkpoints are a second apart
            children = psutil.Process(first.pid).children(recursive=True)
            first.kill()
            for child in children:
                child.kill()
            first.wait()
            place.put("2.jsonl", events(200))
            second = start("--set", "state.restore=latest")
            wait_for(lambda: counts(stats(server.url))["learned"] == 400, 240)
            second.send_signal(signal.SIGINT)
            said = second.communicate(timeout=120)[0]
        finally:
            second.kill()
        assert second.returncode == 130, said
        assert f"--restore {place.root}/checkpoints/" in said
        assert CREDENTIALS["AWS_SECRET_ACCESS_KEY"] not in said
