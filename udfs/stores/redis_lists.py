"""Lists in Redis, where a front end reads one with a single GET.

In: `ListUpdates`. Out: `SET … EX` for `rec:<user>`, `similar:<item>`, `popular` and `trending`,
`PUBLISH` for users, and `factor:<user>`, all in one pipeline. The commands are packed by hand: a
list is written for almost every event, and this is the fastest way to do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from udfs.lists.keys import CHANNEL, FACTOR, KNOWN, USER, WHY, digest, keys_of
from udfs.lists.update import ListUpdates
from udfs.models.settings import Settings
from udfs.state.records import pack_factor
from udfs.stores.redis_writer import Command, RedisWriter

_SET = b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n%b"
_NOTICE = b"*3\r\n$7\r\nPUBLISH\r\n%b\r\n$%d\r\n%b\r\n"


class RedisLists:
    """See the module; a `Store`. The connection is the learner's and is shared."""

    def __init__(self, settings: Settings, redis: RedisWriter) -> None:
        options = settings.redis
        self._redis, self._prefix = redis, options.prefix.encode()
        end = str(options.expiry_s).encode()
        self._tail = b"$2\r\nEX\r\n$%d\r\n%b\r\n" % (len(end), end)
        channel = self._prefix + CHANNEL.encode()
        self._channel = b"$%d\r\n%b" % (len(channel), channel)
        self._factor = self._prefix + FACTOR.encode()
        self._publish = options.publish

    def write(self, updates: Sequence[ListUpdates]) -> None:
        """See `Store`: one round trip."""
        self._redis.send(self.commands(updates))

    def commands(self, updates: Sequence[ListUpdates]) -> list[Command]:
        """The commands to send: each list followed by its notice, then the factors of these
        users."""
        packed: list[Command] = []
        tail = self._tail
        for some in updates:
            head = self._prefix + some.kind.key.encode()
            publish = self._publish and some.kind == USER
            for name, value in zip(some.names, some.json, strict=True):
                raw = name.encode()
                key = head + raw
                packed.append(_SET % (len(key), key, len(value), value, tail))
                if publish:
                    packed.append(_NOTICE % (self._channel, len(raw), raw))
            packed += self._factors(some)
        return packed

    def erase(self, users: Sequence[str]) -> None:
        """See `Store`: one round trip. Whoever follows a user's list is told."""
        commands: list[Command] = []
        for user in users:
            names = [*keys_of(user), KNOWN + digest(user), WHY + digest(user)]
            commands += [("DEL", self._prefix + name.encode()) for name in names]
            if self._publish:
                commands.append(_NOTICE % (self._channel, len(user.encode()), user.encode()))
        self._redis.send(commands)

    def _factors(self, some: ListUpdates) -> Iterator[bytes]:
        if some.factors is not None:
            for name, vector in zip(some.names, some.factors, strict=True):
                key, value = self._factor + name.encode(), pack_factor(vector)
                yield _SET % (len(key), key, len(value), value, self._tail)

    def close(self) -> None:
        """See `Store`; the connection is left open, because it is shared."""
