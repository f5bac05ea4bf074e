from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import redis

from flink_app.local.ports import LOOPBACK, free_port, in_use


def local(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "deploy.local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_commands_in_turn(tmp_path: Path) -> None:
    port = free_port()
    folder = ("--folder", str(tmp_path))
    try:
        first = local("up", "redis", *folder, "--redis-port", str(port))
        assert first.returncode == 0, first.stderr
        assert first.stdout.startswith("redis started\n")
        assert f"redis://{LOOPBACK}:{port}/0" in first.stdout
        assert local("up", "redis", *folder).stdout.startswith("redis was already up\n")
        seen = local("status", *folder).stdout.splitlines()
        assert [line.split()[:2] for line in seen] == [
            ["kafka", "down"],
            ["redis", "up"],
            ["flink", "down"],
        ]
        fields = {"at": 1, "received": 9, "freshness_p50_ms": "24.4", "freshness_p99_ms": "80.6"}
        redis.Redis(LOOPBACK, port).hset("stats", mapping=fields)
        assert local("status", *folder).stdout.splitlines()[3:] == [
            "in a job's last minute half of the events were in their lists after 24 ms, 99 of 100 "
            "after 81 ms"
        ]
    finally:
        last = local("down", *folder)
    assert last.stdout == "stopped: redis\n"
    assert not in_use(port)
    assert local("down", *folder).stdout == "nothing was up\n"


def test_what_was_started_besides_is_stopped_too(tmp_path: Path) -> None:
    port, folder = free_port(), ("--folder", str(tmp_path))
    try:
        first = local("up", "s3", *folder, "--s3-port", str(port))
        assert first.stdout.startswith("s3 started\n"), first.stderr
    finally:
        last = local("down", *folder)
    assert last.stdout == "stopped: s3\n"
    assert not in_use(port)


def test_an_error_is_one_sentence(tmp_path: Path) -> None:
    done = local("up", "storm", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: there is no component 'storm'")
    assert len(done.stderr.splitlines()) == 1


def test_flink_must_be_up(tmp_path: Path) -> None:
    done = local("flink", "list", "--folder", str(tmp_path))
    assert done.returncode == 1
    assert "python -m deploy.local up flink" in done.stderr
