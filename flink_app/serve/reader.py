"""Reads Redis for all requests at once: what is asked for while one command is under way goes into
the next one.

In: keys. Out: their values (`bytes | None`), or `Away` at once while Redis does not answer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import redis
import redis.asyncio
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff

from udfs.errors import ConfigError
from udfs.redis_writer import RedisSettings
from udfs.sentinels import Sentinels

log = logging.getLogger(__name__)
_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command
FAILURES = (redis.RedisError, OSError, asyncio.TimeoutError)
_MOST = 1000  # keys in one command


_Asked = tuple[str, "asyncio.Future[bytes | None]"]


class Away(Exception):
    """Redis does not answer."""


def connect(settings: RedisSettings) -> redis.asyncio.Redis:
    """A client for asyncio; `settings` as the job has them.

    Raises:
        ConfigError: a URL that asyncio's client of Redis has no form for.
    """
    common: dict[str, Any] = {
        "socket_timeout": settings.timeout_s,
        "socket_connect_timeout": settings.timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        if sentinels := Sentinels.parse(settings.url):
            client = _of_sentinels(sentinels, common)
        else:
            client = redis.asyncio.Redis.from_url(settings.url, **common)
    except ValueError:  # its text may hold a part of the password
        raise ConfigError(
            "redis.url is none that millirec serve can read from: write "
            "redis://HOST:PORT/DATABASE, rediss:// for TLS, unix:///PATH, or "
            "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE."
        ) from None
    given = {"username": settings.username, "password": settings.password}
    client.connection_pool.connection_kwargs.update({k: v for k, v in given.items() if v})
    return client


def _of_sentinels(parts: Sentinels, common: dict[str, Any]) -> redis.asyncio.Redis:
    if parts.tls:
        common["ssl"] = True
    sentinel: Any = Sentinel(parts.hosts, sentinel_kwargs=dict(common))  # type: ignore[no-untyped-call]
    client: redis.asyncio.Redis = sentinel.master_for(
        parts.service, db=parts.database, username=parts.username or None,
        password=parts.password or None, **common,
    )  # fmt: skip
    return client


class Reader:
    """Reads values by one connection; use it in one event loop.

    Attributes:
        away: whether Redis has not answered the last time.
    """

    def __init__(self, settings: RedisSettings) -> None:
        self._client = connect(settings)
        self._connection: Any = None
        self._lock = asyncio.Lock()
        self._timeout_s = settings.timeout_s
        self.address = settings.address
        self.away = False
        self._waiting: list[_Asked] = []
        self._task: asyncio.Task[None] | None = None

    async def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys.

        Raises:
            Away: Redis does not answer, or has not just before.
        """
        if self.away:
            raise Away
        new = asyncio.get_running_loop().create_future
        asked = [(key, new()) for key in keys]
        self._waiting += asked
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return [await future for _, future in asked]

    async def probe(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, asked for even while Redis is away; says when it comes back.

        Raises:
            Away: it still does not answer.
        """
        values = await self._ask(keys)
        if self.away:
            self.away = False
            log.warning("Redis at %s answers again", self.address)
        return values

    async def call(self, *command: str) -> Any:
        """The reply to one command.

        Raises:
            Away: Redis does not answer.
        """
        if self.away:
            raise Away
        try:
            return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]
        except FAILURES as error:
            self._lost(error)
            raise Away from error

    async def close(self) -> None:
        """Give the connections back."""
        await self._drop()
        await self._client.aclose()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                try:
                    values = await self._ask([key for key, _ in batch])
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

    @staticmethod
    def _fail(waiting: list[_Asked], error: Exception) -> None:
        for _, future in waiting:
            if not future.done():
                future.set_exception(error)
                future.exception()  # who asked may have gone

    async def _ask(self, keys: Sequence[str]) -> list[bytes | None]:
        command = _pack(("MGET", *keys))
        async with self._lock:
            try:
                # One connection, kept: to borrow one for each command would take twice the time.
                if self._connection is None:
                    self._connection = await self._client.connection_pool.get_connection()
                await self._connection.send_packed_command([command], check_health=False)
                values: list[bytes | None] = await self._connection.read_response()
                return values
            except FAILURES as error:
                await self._drop()
                self._lost(error)
                raise Away from error
            except BaseException:  # cancelled: the reply would be taken for that of another command
                await self._drop()
                raise

    async def _drop(self) -> None:
        """Disconnect; the next command connects anew."""
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)

    def _lost(self, error: BaseException) -> None:
        if not self.away:
            self.away = True
            reason = str(error) or f"no answer within {self._timeout_s:g} s"
            log.warning("Redis at %s is away: %s", self.address, reason)
