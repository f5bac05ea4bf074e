"""The faults: what breaks, and who or what repairs it, in the words of docs/reliability.md.

In: a `Place` with a running job. Out: the same place after the fault, in which a job runs again.
None waits until the job has recovered.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from benchmarks.faults.place import Place
from flink_app.local.ports import free_port
from flink_app.local.redis_server import redis_command
from udfs.errors import ServiceError

_POISON = (
    "#",
    '"#',
    "[#]",
    "#null",
    '{"n": #, "user": 7}',
    '{"n": #, "user": "u1"}',
    "#\0",
    "#" + "[" * 2000,
    '{"n": #, "user": "u1", "item": "i1", "type": "no such type"}',
    '{"n": #, "user": "", "item": "i1", "type": "view"}',
    '{"n": #, "user": "u1", "item": "i1", "type": "view", "ts": "yesterday"}',
    '{"n": #, "user": "u1", "item": "i1", "type": "rating", "value": NaN}',
    '{"n": #, "item": "i1", "type": "view", "user": "' + 900_000 * "u",
)
_FAILED_CHECKPOINTS = 40  # so many later ones cannot be written


def task_manager(place: Place) -> None:
    """A TaskManager is killed; another is started."""
    place.stack.kill(f"taskmanager-{place.random.randint(1, 2)}")
    place.wait(0, 2)
    place.stack.revive()


def both_task_managers(place: Place) -> None:
    """Both TaskManagers are killed; others are started."""
    for number in (1, 2):
        place.stack.kill(f"taskmanager-{number}")
    place.wait(0, 2)
    place.stack.revive()


def job_manager(place: Place) -> None:
    """The JobManager is killed; another is started, and the job continues from its newest
    checkpoint."""
    place.stack.kill("jobmanager")
    place.stack.revive()
    place.go_on()


def damaged_checkpoint(place: Place) -> None:
    """The same, and half of the newest checkpoint's metadata, or one of its files, is missing."""
    while len(list(place.stack.checkpoints.glob("*/chk-*/_metadata"))) < 2:
        time.sleep(0.1)
    place.stack.kill("jobmanager")
    newest = place.checkpoint()
    files = [file for file in newest.iterdir() if file.name != "_metadata"]
    damaged = place.random.choice([newest / "_metadata", *files])
    os.truncate(damaged, damaged.stat().st_size // 2)
    place.stack.revive()
    place.go_on()


def wrong_settings(place: Place) -> None:
    """The job is cancelled, and restarted with settings that are refused, then with correct
    ones."""
    place.stack.rest(f"/jobs/{place.job}", "PATCH")
    while place.stack.rest(f"/jobs/{place.job}")["state"] != "CANCELED":
        time.sleep(0.1)
    for wrong in ("model.dimensions=0", "job.shards=1", "lists.model=best"):
        try:
            place.submit(wrong)
        except ServiceError as error:
            assert "error: " in str(error), error
        else:
            raise AssertionError(f"the job was taken with {wrong}")
    place.go_on()


def redis_emptied(place: Place) -> None:
    """Redis is killed; another is started, empty."""
    place.stack.kill("redis")
    place.wait(0, 3)
    place.stack.revive()


def redis_restarted(place: Place) -> None:
    """Redis saves its data and is killed shortly after; it comes back with what it saved."""
    place.redis.save()
    place.wait(0, 1)
    place.stack.kill("redis")
    place.wait(0, 3)
    place.stack.revive()
    place.stack.redis_dump.unlink()


def redis_failover(place: Place) -> None:
    """Redis is killed; a replica takes over its address, with the data that had reached it."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        replica = subprocess.Popen(
            [
                *redis_command(port, Path(folder)),
                "--replicaof",
                "127.0.0.1",
                str(place.stack.ports.redis),
            ]
        )
        try:
            client: Any = redis.Redis(port=port)
            while not _follows(client):
                time.sleep(0.05)
            place.wait(1, 3)
            place.stack.kill("redis")
            client.save()
            shutil.copy(Path(folder) / "dump.rdb", place.stack.redis_dump)
        finally:
            replica.kill()
            replica.wait()
    place.stack.revive()
    place.stack.redis_dump.unlink()


def _follows(replica: Any) -> bool:
    try:
        return bool(replica.info("replication")["master_link_status"] == "up")
    except redis.ConnectionError:
        return False


def redis_hung(place: Place) -> None:
    """Redis answers nothing for some seconds."""
    place.stack.signal("redis", signal.SIGSTOP)
    place.wait(3, 8)
    place.stack.signal("redis", signal.SIGCONT)


def redis_full(place: Place) -> None:
    """Redis has no memory left and refuses writes."""
    place.redis.config_set("maxmemory", 1)
    place.wait(3, 6)
    place.redis.config_set("maxmemory", 0)


def redis_read_only(place: Place) -> None:
    """Redis is made a replica, and refuses writes."""
    place.redis.execute_command("REPLICAOF", "127.0.0.1", "1")
    place.wait(3, 6)
    place.redis.execute_command("REPLICAOF", "NO", "ONE")


def redis_slow(place: Place) -> None:
    """Redis takes 300 ms for every write."""
    for _ in range(10):
        place.redis.execute_command("CLIENT", "PAUSE", "300", "WRITE")
        time.sleep(0.32)


def kafka(place: Place) -> None:
    """The broker is killed; it comes back with its data."""
    place.stack.kill("kafka")
    place.wait(0, 3)
    place.stack.revive()


def cassandra(place: Place) -> None:
    """Cassandra is killed; it comes back with its data."""
    place.stack.kill("cassandra")
    place.wait(0, 5)
    place.stack.revive()


def cassandra_hung(place: Place) -> None:
    """Cassandra answers nothing for some seconds."""
    place.stack.signal("cassandra", signal.SIGSTOP)
    place.wait(5, 20)
    place.stack.signal("cassandra", signal.SIGCONT)


def full_disk(place: Place) -> None:
    """The checkpoint disk, of 256 MB, is full for several checkpoints; then it has room again."""
    filler = place.stack.checkpoints / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()
    except OSError as error:
        assert error.errno == errno.ENOSPC, error
    place.wait(4 * place.checkpoint_s, 6 * place.checkpoint_s)
    filler.unlink()


def no_checkpoints(place: Place) -> None:
    """No checkpoint can be written, since the file names are taken; then it can."""
    newest = place.checkpoint()
    number = int(newest.name.removeprefix("chk-"))
    taken = [newest.with_name(f"chk-{number + n}") for n in range(1, _FAILED_CHECKPOINTS)]
    for path in taken:
        if not path.exists():
            path.touch()
    place.wait(4 * place.checkpoint_s, 6 * place.checkpoint_s)
    for path in taken:
        if path.is_file():
            path.unlink()


def poison(place: Place) -> None:
    """A burst of lines that no parser can read."""
    first = len(place.load.bad)
    for number, line in enumerate(_POISON, first):
        place.load.line(line.replace("#", str(number)))


def leading_job_manager(place: Place) -> None:
    """The JobManager that leads is killed; the one that stands by goes on, and another takes its
    place."""
    while not (leader := place.stack.leader()):
        time.sleep(0.1)
    place.stack.kill(leader)
    while place.stack.leader() in ("", leader):
        time.sleep(0.1)
    place.stack.revive()


def zookeeper(place: Place) -> None:
    """ZooKeeper is killed; it comes back with what it knew."""
    place.stack.kill("zookeeper")
    place.wait(0, 3)
    place.stack.revive()


IN_CASSANDRA = ("cassandra", "cassandra_hung")
"""Those that need a Cassandra."""


KINDS: dict[str, Callable[[Place], None]] = {
    fault.__name__: fault
    for fault in (
        task_manager,
        both_task_managers,
        job_manager,
        damaged_checkpoint,
        wrong_settings,
        redis_emptied,
        redis_restarted,
        redis_failover,
        redis_hung,
        redis_full,
        redis_read_only,
        redis_slow,
        kafka,
        cassandra,
        cassandra_hung,
        full_disk,
        no_checkpoints,
        poison,
        leading_job_manager,
        zookeeper,
    )
}
STANDBY = {"leading_job_manager", "zookeeper"}
"""Those of a Flink with two JobManagers, where no other kind is tried: nobody has to submit the job
again there."""
