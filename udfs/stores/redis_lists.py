"""Lists in Redis, where a front end reads one with a single GET.

In: `ListUpdates`. Out: `SET … EX` for `rec:<user>`, `similar:<item>`, `popular` and `trending`,
`PUBLISH` for users, and `factor:<user>`, all in one pipeline. The commands are packed by hand: a
list is written for almost every event, and this is the fastest way to do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udfs.lists.keys import CHANNEL, FACTOR, USER
from udfs.lists.update import ListUpdates
from udfs.models.settings import Settings
from udfs.state.records import pack_factor
from udfs.stores.redis_writer import Command, RedisWriter


class RedisLists:
    """See the module; a `Store`. The connection is the learner's, which others use too."""

    def __init__(self, settings: Settings, redis: RedisWriter) -> None:
        options = settings.redis
        self._redis, self._prefix = redis, options.prefix.encode()
        end = str(options.expiry_s).encode()
        self._tail = b"\r\n$2\r\nEX\r\n$%d\r\n%b\r\n" % (len(end), end)
        channel = self._prefix + CHANNEL.encode()
        self._notice = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(channel), channel)
        self._publish = options.publish

    def write(self, updates: Sequence[ListUpdates]) -> None:
        """See `Store`: one round trip."""
        self._redis.send(self.commands(updates))

    def commands(self, updates: Sequence[ListUpdates]) -> list[Command]:
        """What is sent: each list with its notice behind it, then the factors of these users."""
        packed: list[Command] = []
        for some in updates:
            packed += self._lists(some)
            packed += self._factors(some)
        return packed

    def _lists(self, some: ListUpdates) -> Iterator[bytes]:
        head = self._prefix + some.kind.key.encode()
        notice = self._notice if self._publish and some.kind == USER else b""
        for name, value in zip(some.names, some.json, strict=True):
            raw = name.encode()
            yield self._set(head + raw, value)
            if notice:
                yield b"%b$%d\r\n%b\r\n" % (notice, len(raw), raw)

    def _factors(self, some: ListUpdates) -> Iterator[bytes]:
        if some.factors is not None:
            head = self._prefix + FACTOR.encode()
            for name, vector in zip(some.names, some.factors, strict=True):
                yield self._set(head + name.encode(), pack_factor(vector))

    def _set(self, key: bytes, value: bytes) -> bytes:
        sizes = len(key), key, len(value), value, self._tail
        return b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b%b" % sizes

    def close(self) -> None:
        """See `Store`; the connection is not this store's to close."""
