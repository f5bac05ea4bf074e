"""Streams of Redis, read from a position on.

In: a connection, the key of a stream. Out: its entries, and the position of now.
"""

from __future__ import annotations

from collections.abc import Iterator

from udfs.stores.redis_writer import Command, RedisWriter


def end(redis: RedisWriter) -> str:
    """A position from which `entries` yields all that are added from now on."""
    now = redis.send([("TIME",)])[0]
    # A little earlier than now: an entry read twice is harmless, one missed is not.
    return f"{int(now[0]) * 1000 - 1000}-0"


def entries(
    redis: RedisWriter, key: str, position: str, at_once: int
) -> Iterator[tuple[str, list[bytes]]]:
    """The entries after a position, up to the end: the position of each, and its fields with their
    values.

    Args:
        at_once: how many are in one reply.
    """
    while True:
        command: Command = ("XREAD", "COUNT", str(at_once), "STREAMS", key, position)
        reply = redis.send([command])[0]
        found = reply[0][1] if reply else []
        for one, fields in found:
            position = one.decode()
            yield position, fields
        if len(found) < at_once:
            return
