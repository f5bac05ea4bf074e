from __future__ import annotations

import socket

import pytest

from flink_app.local import ports
from flink_app.local.ports import LOOPBACK, free_port, in_use, require_free
from udfs.errors import ServiceError


def test_free_ports_are_free_and_differ() -> None:
    found = [free_port() for _ in range(20)]
    assert len(set(found)) == 20
    assert not any(in_use(port) for port in found)
    assert all(20_000 <= port < 32_000 for port in found)


def test_a_listener_is_seen() -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        port = server.getsockname()[1]
        assert in_use(port)
        with pytest.raises(ServiceError, match=f"port {port}, which tea needs, .*: drink coffee"):
            require_free(port, "tea", "drink coffee")
    assert not in_use(port)
    require_free(port, "tea", "drink coffee")


def test_none_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "in_use", lambda port: True)
    with pytest.raises(ServiceError, match="no free port"):
        free_port()
