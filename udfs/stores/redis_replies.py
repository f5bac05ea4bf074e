"""Reads all replies to a pipeline in one call, which costs a tenth of asking for each.

In: redis-py's connection, on which commands were sent. Out: their replies in order. A parser of
redis-py, so that it connects, waits and fails as every other connection does.
"""

from __future__ import annotations

import select
from typing import Any

import redis
from redis.connection import DefaultParser

_Parser: Any = DefaultParser  # redis 5 has no types here


class Replies(_Parser):  # type: ignore[misc]
    """redis-py's parser, to be given to a connection as its `parser_class`.

    Attributes:
        wanted: how many replies the next `read_response` returns as a list; 0: one as it is.
    """

    wanted = 0

    def on_connect(self, connection: Any, **options: Any) -> None:
        """Be known to the connection as its `replies`."""
        super().on_connect(connection, **options)
        connection.replies = self
        self._nothing = self._next_response  # what the reader returns where it has no whole reply
        self._arrived = select.poll()
        self._arrived.register(self._sock, select.POLLIN)

    def can_read(self, timeout: float) -> Any:
        """Whether something has come in that nobody asked for, such as the end of the connection.

        redis-py asks it before each pipeline, by an attempt to read, which costs as much as a short
        list in all.
        """
        if timeout or not self._reader or self._reader.has_data() or self._arrived.poll(0):
            return super().can_read(timeout)
        return False

    def read_response(self, disable_decoding: bool = False) -> Any:
        """One reply, or a list of the `wanted` ones, in which a refusal is a `ResponseError`."""
        wanted, self.wanted = self.wanted, 0
        first = super().read_response(disable_decoding)
        if not wanted:
            return first
        found, gets = [first], self._reader.gets
        while len(found) < wanted:
            reply = gets()
            if reply is self._nothing:
                self.read_from_socket()
            elif isinstance(reply, redis.ConnectionError):  # it is loading, for example
                raise reply
            else:
                found.append(reply)
        return found
