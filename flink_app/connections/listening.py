"""Whether anything listens at an address.

In: "host:port". Out: a bool.
"""

from __future__ import annotations

import socket

_ASK_S = 3.0


def listens(address: str) -> bool:
    """Whether a connection to "host:port", with or without a protocol before it, succeeds."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ASK_S).close()
    except OSError:
        return False
    return True
