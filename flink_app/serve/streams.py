"""A user's list as a stream of server-sent events: immediately, and whenever the job changes it.

In: ids on the Redis channel `rec`, received by one connection while any stream is open. Out: for
each stream, `event: list` with the answer of `GET /recommend/{user}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Iterator

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from flink_app.serve.answers import Wish, answer
from flink_app.serve.filters import Filters
from flink_app.serve.lists import Found, Lists
from flink_app.serve.problems import Problem
from flink_app.serve.redis_sources import FAILURES, Source
from flink_app.serve.wording import Wording
from udfs.lists.contract import id_of
from udfs.lists.keys import CHANNEL

log = logging.getLogger(__name__)
BEAT_S = 15.0
"""How often a quiet stream sends a comment: proxies keep it open, lost clients are noticed."""
_EMPTY_S = 1.0  # how often a stream checks for a list before any job has written one
_AGAIN_S = 0.5


class Streams:
    """All open streams; use it in one event loop."""

    def __init__(
        self,
        source: Source,
        lists: Lists,
        filters: Filters,
        prefix: str,
        most: int,
        wording: Wording,
    ) -> None:
        self._wording = wording
        self._source, self._lists, self._filters, self._most = source, lists, filters, most
        self._channel = prefix + CHANNEL
        self._open: dict[bytes, set[asyncio.Event]] = {}
        self._listener: asyncio.Task[None] | None = None
        self._closing, self._said = False, ""
        self.count = 0

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Hold one of the `serve.max_streams` places until the end of the block.

        Raises:
            Problem: all of them are taken.
        """
        if self.count >= self._most:
            detail = f"{self.count} streams are open, as many as serve.max_streams allows."
            raise Problem(503, "too-many-streams", detail, retry_s=5)
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1

    async def follow(self, user: str, wish: Wish) -> AsyncGenerator[bytes, None]:
        """The stream of a user, for as long as it is read."""
        name, changed = self._lists.stored_user(user).encode(), asyncio.Event()
        self._open.setdefault(name, set()).add(changed)
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        try:
            last: bytes | None = b""
            while not self._closing:
                changed.clear()
                with contextlib.suppress(Problem):  # Redis is down: ask again at the next beat
                    [(found, own)] = await self._lists.of_users([user])
                    if found.value != last and not (found.stale and last):
                        data = await self._made(found, wish, user, own)
                        last = found.value
                        yield _event(last, data)
                pause = BEAT_S if last else _EMPTY_S
                try:
                    await asyncio.wait_for(changed.wait(), pause)
                except asyncio.TimeoutError:
                    yield b": still here\n\n"
        finally:
            self._open[name].discard(changed)
            if not self._open[name]:
                del self._open[name]

    async def _made(self, found: Found, wish: Wish, user: str, own: bool) -> bytes:
        if wish.filter:
            [body] = await self._filters.of_users([user], wish)
        else:
            body = answer(found, wish, user, own)
        return await self._wording.of(body, wish.words)

    def close(self) -> None:
        """End all streams."""
        self._closing = True
        self.wake_all()
        if self._listener is not None:
            self._listener.cancel()

    def wake_all(self) -> None:
        """Let every stream look whether its list has changed."""
        for streams in self._open.values():
            for changed in streams:
                changed.set()

    async def _listen(self) -> None:
        try:
            while self._open:
                try:
                    await self._listen_once()
                except FAILURES as error:
                    if str(error) != self._said:
                        self._said = str(error)
                        log.warning("no notices from the channel %s: %s", self._channel, error)
                    await asyncio.sleep(_AGAIN_S)
        finally:
            self._listener = None

    async def _listen_once(self) -> None:
        """Pass on notices until no stream is open or the connection breaks."""
        async with self._source.listening(self._channel) as notices:
            self._said = ""
            self.wake_all()  # for what changed before the subscription
            while self._open:
                message = await notices.get_message(timeout=1.0)
                if message is not None:
                    for changed in self._open.get(message["data"], ()):
                        changed.set()


class Stream(StreamingResponse):
    """The answer to a request for a user's stream."""

    def __init__(self, streams: Streams, user: str, wish: Wish) -> None:
        self._streams, self._events = streams, streams.follow(user, wish)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(self._events, headers=headers, media_type="text/event-stream")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold a place while the stream is sent, however it ends.

        Raises:
            Problem: there is no place.
        """
        with self._streams.place():
            async with contextlib.aclosing(self._events):
                await super().__call__(scope, receive, send)


def _event(value: bytes | None, data: bytes) -> bytes:
    """One event of the stream; its id is the list's."""
    number = id_of(value or b"")
    safe = number if number.isascii() and number.isprintable() else ""
    line = data.replace(b"\r", b" ").replace(b"\n", b" ")  # in JSON, only between tokens
    return b"event: list\nid: %b\ndata: %b\n\n" % (safe.encode(), line)
