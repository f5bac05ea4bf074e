"""The stack's own logic, with Redis as the component, since it starts quickly."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.stack import Ports, Stack
from deploy.stack import redis as redis_component
from flink_app.local.ports import LOOPBACK, free_port, in_use
from flink_app.local.redis_server import answers
from udfs.errors import ConfigError, ServiceError


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path / "stack", Ports(redis=free_port()))
    yield stack
    stack.down()


def test_up_and_down(stack: Stack) -> None:
    assert stack.down() == []
    assert stack.up(["redis"]) == ["redis"]
    assert answers(stack.redis_url)
    assert stack.up(["redis"]) == []
    assert [(line.name, line.up) for line in stack.status()] == [
        ("kafka", False),
        ("redis", True),
        ("flink", False),
    ]
    assert stack.down() == ["redis"]
    assert not in_use(stack.ports.redis)
    assert stack.down() == []


def test_a_later_command_finds_what_runs(stack: Stack, tmp_path: Path) -> None:
    stack.up(["redis"])
    later = Stack(tmp_path / "stack", Ports(redis=1, kafka=2))
    assert later.redis_url == stack.redis_url
    assert later.kafka_bootstrap == f"{LOOPBACK}:2"
    assert later.up(["redis"]) == []
    assert later.down(["redis"]) == ["redis"]
    assert not answers(stack.redis_url)


def test_a_process_that_ended_is_noticed_and_restarted(stack: Stack) -> None:
    stack.up(["redis"])
    [pid] = stack.status()[1].pids
    psutil.Process(pid).kill()
    while stack.status()[1].pids:
        time.sleep(0.01)
    assert stack.status()[1].ended == ["redis"]
    assert stack.up(["redis"]) == ["redis"]
    assert stack.status()[1].pids != [pid]


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        stack = Stack(tmp_path, Ports(redis=port))
        with pytest.raises(ServiceError, match=f"port {port}, which redis needs") as caught:
            stack.up(["redis"])
    assert "--redis-port" in str(caught.value)


def test_a_failed_start_leaves_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = ["sh", "-c", "echo out of cheese; exit 3"]
    monkeypatch.setattr(redis_component, "redis_command", lambda port, folder: broken)
    with pytest.raises(ServiceError, match=r"redis ended while it started.*'out of cheese'; see"):
        stack.up(["redis"])
    assert all(not line.pids and not line.ended for line in stack.status())


def test_an_interrupted_start_leaves_nothing(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(url: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(redis_component, "answers", interrupt)
    with pytest.raises(KeyboardInterrupt):
        stack.up(["redis"])
    assert not in_use(stack.ports.redis)


def test_down_after_an_up_that_was_killed(tmp_path: Path) -> None:
    """Processes are recorded before `up` waits for them."""
    port = free_port()
    program = (
        "import os, pathlib\n"
        "from deploy.stack import Ports, Stack, redis\n"
        "redis.answers = lambda url: os.kill(os.getpid(), 9)\n"
        f"Stack(pathlib.Path({str(tmp_path)!r}), Ports(redis={port})).up(['redis'])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert Stack(tmp_path).down() == ["redis"]
    assert not in_use(port)


def test_an_unknown_component(stack: Stack) -> None:
    with pytest.raises(ConfigError, match="no component 'storm': choose from cassandra, s3"):
        stack.up(["storm"])
    with pytest.raises(ConfigError, match="no component 'storm'"):
        stack.down(["storm"])


def test_a_damaged_record_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "stack.json").write_text("{")
    with pytest.raises(ServiceError, match=r"stack\.json cannot be read"):
        Stack(tmp_path)


def test_flink_refuses_a_folder_with_a_space(tmp_path: Path) -> None:
    ports = Ports(flink=free_port(), flink_rpc=free_port())
    with pytest.raises(ServiceError, match="choose another with --folder"):
        Stack(tmp_path / "my stack", ports).up(["flink"])


def test_the_command_line_of_flink(stack: Stack, tmp_path: Path) -> None:
    command, environment = stack.flink_command("run", "-d", "-py", "job.py")
    assert command[-4:] == ["run", "-d", "-py", "job.py"]
    assert Path(command[1]).name == "flink"
    assert environment["FLINK_CONF_DIR"] == str(tmp_path / "stack" / "flink" / "conf")
