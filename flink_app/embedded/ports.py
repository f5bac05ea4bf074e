"""Loopback ports for the servers that are started here: a free one, or a check of a chosen one.

In and out: TCP port numbers (`int`, 1 to 65535) on 127.0.0.1.
"""

from __future__ import annotations

import socket

from udfs.errors import ServiceError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nothing listens on now; another process could still take it before its use."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def in_use(port: int) -> bool:
    """Whether `port` is taken, so that a server could not listen on it."""
    with socket.socket() as probe:
        # As servers do: connections that are merely closing down do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
        return False


def require_free(port: int, what: str, remedy: str) -> None:
    """Raise `ServiceError` when `port`, wanted by `what`, is taken; `remedy` ends the sentence."""
    if in_use(port):
        raise ServiceError(
            f"port {port}, which {what} needs, is already in use on {LOOPBACK}: {remedy}."
        )
