"""Where accepted events go: a Kafka topic, or the folder that the job watches.

In: lines of JSON with the user of each. Out: nothing; `Inbox.put` returns once they are durable: in
the topic with `acks=all`, or in a synced file. Lines that arrive during a write go into the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import NamedTuple

from flink_app.data.sinks import Sink
from flink_app.serve.problems import Problem
from udfs.errors import ServiceError

log = logging.getLogger(__name__)
_QUEUED_BATCHES = 20
"""How many requests of the largest size may wait before new ones are turned away."""


class _Part(NamedTuple):
    lines: list[bytes]
    users: list[str]
    done: asyncio.Future[None]


class Inbox:
    """Takes events for a sink; use it in one event loop.

    Args:
        sink: the sink, or why there is none. timeout_s: how long a request waits. most: the largest
            number of events in a request. what: the lines are, for sentences.
    """

    def __init__(self, sink: Sink | str, timeout_s: float, most: int, what: str = "events") -> None:
        self.sink, self._timeout_s, self._what = sink, timeout_s, what
        self._room = _QUEUED_BATCHES * most
        self._waiting: list[_Part] = []
        self._task: asyncio.Task[None] | None = None
        self.failing = False
        """Whether the last write failed."""

    async def put(self, lines: list[bytes], users: list[str]) -> None:
        """Return when the lines are durable.

        Raises:
            Problem: they are not, or it is not known.
        """
        self.require()
        if sum(len(part.lines) for part in self._waiting) > self._room:
            raise Problem(
                503, "busy", "Too many events are waiting to be written: slow down.", retry_s=1
            )
        part = _Part(lines, users, asyncio.get_running_loop().create_future())
        self._waiting.append(part)
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        try:
            await asyncio.wait_for(asyncio.shield(part.done), self._timeout_s)
        except asyncio.TimeoutError:
            raise self._unknown(f"not written within {self._timeout_s:g} s") from None
        except ServiceError as error:
            raise self._unknown(str(error)) from error

    def require(self) -> Sink:
        """The sink.

        Raises:
            Problem: there is none.
        """
        if isinstance(self.sink, str):
            raise Problem(501, "no-inbox", f"This server takes no {self._what}: {self.sink}.")
        return self.sink

    async def close(self) -> None:
        """Wait until the accepted events are written or have failed."""
        if self._task is not None:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.shield(self._task), self._timeout_s)

    def _unknown(self, why: str) -> Problem:
        detail = (
            f"The events may not have been written: {why}. Send them again, each with an id that "
            "stays the same, so that none counts twice."
        )
        return Problem(503, "not-durable", detail, retry_s=1)

    async def _drain(self) -> None:
        while self._waiting:
            parts, self._waiting = self._waiting, []
            lines = [line for part in parts for line in part.lines]
            users = [user for part in parts for user in part.users]
            failure: Exception | None = None
            try:
                await asyncio.to_thread(self.require().write, lines, users)
            except Exception as error:
                log.warning("%d events were not written: %s", len(lines), error)
                known = isinstance(error, ServiceError)
                failure = error if known else ServiceError("the server failed; see its log")
            self.failing = failure is not None
            for part in parts:
                if part.done.done():
                    continue
                if failure is None:
                    part.done.set_result(None)
                else:
                    part.done.set_exception(failure)
                    part.done.exception()  # the client may have gone: mark it as retrieved
        self._task = None
