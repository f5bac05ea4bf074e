"""Reads Redis for all requests together: keys requested while a command is running go into the next
one.

In: keys. Out: their values (`bytes | None`), or `Away` immediately while Redis does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

import redis

from flink_app.serve.redis_sources import FAILURES, source
from udfs.stores.redis_refusals import sentence
from udfs.stores.redis_writer import RedisSettings

log = logging.getLogger(__name__)
_MOST = 1000  # keys in one command


_Reply = TypeVar("_Reply")
_Asked = tuple[str, "asyncio.Future[bytes | None]"]


class Away(Exception):
    """Redis does not answer, or refuses this; the message says which, in a sentence."""


class Reader:
    """Reads values; use it in one event loop.

    Attributes:
        away: whether Redis did not answer the last time. reason: the sentence about it.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self.source = source(settings)
        self._timeout_s = settings.timeout_s
        self.address = settings.address
        self.away, self.reason, self._logged = False, "", ""
        self._waiting: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys.

        Raises:
            Away: Redis does not answer, or did not the last time.
        """
        if self.away:
            raise Away(self.reason)
        new = asyncio.get_running_loop().create_future
        asked = [(key, new()) for key in keys]
        self._waiting += asked
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return [await future for _, future in asked]

    async def together(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of many keys in a command of their own, which takes less for each key.

        Raises:
            Away: Redis does not answer, or did not the last time.
        """
        if self.away:
            raise Away(self.reason)
        return await self._asked(self.source.values(keys))

    async def probe(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, requested even while Redis is away; notes when it is back.

        Raises:
            Away: it still does not answer.
        """
        values = await self._asked(self.source.values(keys), whole=True)
        if self.away:
            self.away, self.reason, self._logged = False, "", ""
            log.warning("Redis at %s answers again", self.address)
        return values

    async def call(self, *command: str) -> Any:
        """The reply to one command.

        Raises:
            Away: Redis does not answer.
        """
        if self.away:
            raise Away(self.reason)
        return await self._asked(self.source.call(*command))

    async def close(self) -> None:
        """Close the connections."""
        await self.source.close()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    values = await self._asked(self.source.values([key for key, _ in batch]))
                except Away as error:
                    if not self.away and len(batch) > 1:  # one of the keys is not allowed
                        await self._one_by_one(batch)
                        continue
                    self._fail(batch, error)
                    if self.away:
                        self._fail(self._waiting, error)
                        self._waiting = []
                except Exception as error:
                    self._fail(batch, error)
                    self._fail(self._waiting, error)
                    self._waiting = []
                else:
                    for (_, future), value in zip(batch, values, strict=True):
                        if not future.done():
                            future.set_result(value)
        finally:
            self._task = None

    async def _one_by_one(self, batch: list[_Asked]) -> None:
        for key, future in batch:
            try:
                [value] = await self._asked(self.source.values([key]))
            except Away as error:
                self._fail([(key, future)], error)
            else:
                if not future.done():
                    future.set_result(value)

    @staticmethod
    def _fail(waiting: list[_Asked], error: Exception) -> None:
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # the client may have gone: mark it as retrieved

    async def _asked(self, reply: Awaitable[_Reply], whole: bool = False) -> _Reply:
        """The reply; `whole`: without it, nothing can be answered."""
        try:
            return await reply
        except FAILURES as error:
            late = f"no answer within {self._timeout_s:g} s"
            said = error if str(error) else redis.TimeoutError(late)
            reason = sentence(self.address, said, quoted=False)
            if reason != self._logged:
                self._logged = reason
                log.warning("%s", sentence(self.address, said))
            if whole or not isinstance(error, redis.exceptions.NoPermissionError):
                self.away, self.reason = True, reason
            raise Away(reason) from error
