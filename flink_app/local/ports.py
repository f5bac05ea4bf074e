"""Loopback ports for the servers that are started here: finds a free one, or checks a given one.

In and out: TCP port numbers (`int`, 1 to 65535) on 127.0.0.1.
"""

from __future__ import annotations

import random
import socket

from udfs.errors import ServiceError

LOOPBACK = "127.0.0.1"

# Below the ports that systems give to outgoing connections (Linux: 32768 and up), where any client
# could take a port between its choice here and the moment, seconds later, when a server binds it.
_CHOICE = range(20_000, 32_000)

_given: set[int] = set()


def free_port() -> int:
    """A port of 20,000 to 31,999 that nothing listens on now, another one at each call.

    Raises `ServiceError` when a hundred ports taken at random are all in use.
    """
    for port in random.sample(_CHOICE, 100):
        if port not in _given and not in_use(port):
            _given.add(port)
            return port
    raise ServiceError(f"found no free port on {LOOPBACK} from {_CHOICE.start} to {_CHOICE.stop}.")


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
