"""Lists of users from Cassandra, for when Redis is away or has lost them.

In: ids of users, as they are stored. Out: the JSON of their lists (`bytes | None`) within a bounded
time; None too while Cassandra is away, which is no error: the popular list is next.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from typing import Any

from flink_app.config import Config
from udfs.errors import MillirecError
from udfs.options.cassandra import Cassandra
from udfs.stores.cassandra_connection import address, refusal, require_driver, words
from udfs.stores.cassandra_reads import CassandraReads, list_of

log = logging.getLogger(__name__)
_AGAIN_S = 5.0  # how often to connect while there is no connection
_REST_S = 1.0  # how long nothing is asked after there was no answer


class SecondSource:
    """Use it in one event loop.

    Args:
        timeout_s: how long requests wait for it, seconds.

    Attributes:
        name: what answers call it. answers: how many lists came from it.
    """

    name = "cassandra"

    def __init__(self, options: Cassandra, timeout_s: float) -> None:
        self.reads = CassandraReads(options)
        self._options, self._timeout_s = options, timeout_s
        self._free = asyncio.Semaphore(options.in_flight)
        self._rests_until, self._logged = 0.0, ""
        self._task: asyncio.Task[None] | None = None
        self.answers = 0

    def start(self) -> None:
        """Connect, in the background."""
        self._task = asyncio.create_task(self._connect())

    def stop(self) -> None:
        """Stop connecting."""
        if self._task is not None:
            self._task.cancel()

    async def lists(self, users: Sequence[str]) -> list[bytes | None]:
        """The lists of these users; None for those that have none, or not in time."""
        if not self.reads.ready or time.monotonic() < self._rests_until:
            return [None] * len(users)
        tasks = [asyncio.create_task(self._list(user)) for user in users]
        done, late = await asyncio.wait(tasks, timeout=self._timeout_s)
        for task in late:
            task.cancel()
        errors = [error for task in done if (error := task.exception())]
        if late or errors:
            self._rests_until = time.monotonic() + _REST_S
            self._say(
                errors[0] if errors else TimeoutError(f"no answer within {self._timeout_s:g} s")
            )
        elif self._logged:
            self._logged = ""
            log.warning("Cassandra at %s answers again", address(self._options))
        good = {task for task in done if not task.exception()}
        found = [task.result() if task in good else None for task in tasks]
        self.answers += sum(one is not None for one in found)
        return found

    async def _list(self, user: str) -> bytes | None:
        async with self._free:
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[Any] = loop.create_future()
            asked = self.reads.ask_list(user)
            asked.add_callbacks(
                lambda rows: loop.call_soon_threadsafe(_set, answer, rows, None),
                lambda error: loop.call_soon_threadsafe(_set, answer, None, error),
            )
            return list_of(await answer)

    async def _connect(self) -> None:
        while not self.reads.ready:
            try:
                await asyncio.to_thread(self.reads.start)
            except Exception as error:
                self._say(error)
                await asyncio.sleep(_AGAIN_S)

    def _say(self, error: BaseException) -> None:
        """Say once in words why there is no answer."""
        try:
            said: MillirecError | None = refusal(error, self._options)
        except ImportError:
            said = None
        text = str(said) if said else words(error)
        if text != self._logged:
            self._logged = text
            log.warning(
                "Cassandra at %s does not answer: %s; lists that Redis has not are not found there",
                address(self._options),
                text,
            )


def second_source(config: Config) -> SecondSource | None:
    """The second source of a server, if there is one.

    Raises:
        ConfigError: the driver is not installed.
    """
    if not config.cassandra.hosts or not config.cassandra.lists:
        return None
    require_driver()
    return SecondSource(config.cassandra, config.serve.timeout_s)


def _set(answer: asyncio.Future[Any], rows: Any, error: BaseException | None) -> None:
    """Give an answer to who waits for it, if somebody still does."""
    if answer.done():
        return
    if error is None:
        answer.set_result(rows)
    else:
        answer.set_exception(error)
