"""What a server reads from: one Redis, the master that Sentinels name, or a Redis Cluster.

In: `RedisSettings`, keys. Out: values (`bytes | None`), replies, and a subscription to notices of
changed lists.
"""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import hiredis
import redis
import redis.asyncio
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException

from udfs.errors import ConfigError
from udfs.stores.redis_hosts import RedisHosts
from udfs.stores.redis_writer import RedisSettings
from udfs.stores.sentinels import Sentinels

FAILURES = (redis.RedisError, RedisClusterException, OSError, asyncio.TimeoutError)
"""What is raised if Redis is not there, does not answer, or refuses."""

_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command


class Source(ABC):
    """Reads keys; use it in one event loop. Every method may raise one of `FAILURES`."""

    @abstractmethod
    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """The values of keys, in one round trip."""

    @abstractmethod
    async def call(self, *command: str) -> Any:
        """The reply to one command, whose first argument is a key."""

    @abstractmethod
    def listening(self, channel: str) -> contextlib.AbstractAsyncContextManager[Any]:
        """The notices of a channel, through a connection of their own."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


def source(settings: RedisSettings) -> Source:
    """The source that `redis.url` names.

    Raises:
        ConfigError: the URL is malformed.
    """
    try:
        cluster = settings.cluster
        return _Nodes(cluster, settings) if cluster else _Single(_client(settings), settings)
    except ValueError:  # its text may hold a part of the password
        raise ConfigError(
            "redis.url is not a URL that millirec serve can read from: write "
            "redis://HOST:PORT/DATABASE, rediss:// for TLS, unix:///PATH, "
            "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE, or "
            "redis+cluster://HOST:PORT,HOST:PORT."
        ) from None


def _waits(settings: RedisSettings) -> dict[str, Any]:
    timeout_s = settings.timeout_s
    return {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}


def _never() -> Retry:
    return Retry(NoBackoff(), 0)


def _client(settings: RedisSettings) -> redis.asyncio.Redis:
    common: dict[str, Any] = {**_waits(settings), "retry": _never()}
    if sentinels := Sentinels.parse(settings.url):
        client = _of_sentinels(sentinels, common)
    else:
        client = redis.asyncio.Redis.from_url(settings.url, **common)
    given = {"username": settings.username, "password": settings.password}
    client.connection_pool.connection_kwargs.update({k: v for k, v in given.items() if v})
    return client


def _of_sentinels(parts: Sentinels, common: dict[str, Any]) -> redis.asyncio.Redis:
    if parts.at.tls:
        common["ssl"] = True
    sentinel: Any = Sentinel(parts.at.hosts, sentinel_kwargs=dict(common))  # type: ignore[no-untyped-call]
    client: redis.asyncio.Redis = sentinel.master_for(
        parts.service,
        db=parts.database,
        username=parts.at.username or None,
        password=parts.at.password or None,
        **common,
    )
    return client


@contextlib.asynccontextmanager
async def _listening(
    client: redis.asyncio.Redis, channel: str, wait_s: float
) -> AsyncIterator[Any]:
    """Subscribe with a client of its own, which is closed at the end."""
    notices: Any = client.pubsub(ignore_subscribe_messages=True)
    try:
        await notices.subscribe(channel)
        await notices.get_message(timeout=wait_s)  # Redis confirms the subscription
        yield notices
    finally:
        with contextlib.suppress(*FAILURES):
            await notices.aclose()
            await client.aclose()


class _Single(Source):
    """One Redis, over one connection that is kept: borrowing one for each command would take twice
    as long."""

    def __init__(self, client: redis.asyncio.Redis, settings: RedisSettings) -> None:
        self._client, self._settings = client, settings
        self._connection: Any = None
        self._lock = asyncio.Lock()

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `Source`."""
        command = _pack(("MGET", *keys))
        async with self._lock:
            try:
                if self._connection is None:
                    self._connection = await self._client.connection_pool.get_connection()
                await self._connection.send_packed_command([command], check_health=False)
                values: list[bytes | None] = await self._connection.read_response()
                return values
            except BaseException:  # cancelled, too: the next command would get this one's reply
                await self._drop()
                raise

    async def call(self, *command: str) -> Any:
        """See `Source`."""
        return await self._client.execute_command(*command)  # type: ignore[no-untyped-call]

    def listening(self, channel: str) -> contextlib.AbstractAsyncContextManager[Any]:
        """See `Source`."""
        return _listening(_client(self._settings), channel, self._settings.timeout_s)

    async def close(self) -> None:
        """See `Source`."""
        await self._drop()
        await self._client.aclose()

    async def _drop(self) -> None:
        """Disconnect; the next command connects again."""
        if self._connection is not None:
            await self._connection.disconnect(nowait=True)


class _Nodes(Source):
    """A Redis Cluster: each node is asked for its keys in one pipeline, all of them concurrently.

    A notice published on any node arrives on all of them.
    """

    def __init__(self, hosts: RedisHosts, settings: RedisSettings) -> None:
        self._settings = settings
        said = {
            "username": settings.username or hosts.username,
            "password": settings.password or hosts.password,
            "ssl": hosts.tls,
        }
        self._common = _waits(settings) | {name: value for name, value in said.items() if value}
        node: Any = ClusterNode
        # One attempt each: a request waits for `timeout_s`, not for a multiple of it.
        self._client: Any = redis.asyncio.RedisCluster(
            startup_nodes=[node(host, port) for host, port in hosts.hosts],
            retry=_never(),
            cluster_error_retry_attempts=1,
            **self._common,
        )
        self._mapping: asyncio.Future[Any] | None = None

    async def values(self, keys: Sequence[str]) -> list[bytes | None]:
        """See `Source`."""
        pipeline = self._client.pipeline()
        for key in keys:
            pipeline.get(key)
        values: list[bytes | None] = await self._within(pipeline.execute)
        return values

    async def call(self, *command: str) -> Any:
        """See `Source`."""
        return await self._within(self._client.execute_command, *command)

    @contextlib.asynccontextmanager
    async def listening(self, channel: str) -> AsyncIterator[Any]:
        """See `Source`."""
        await asyncio.wait_for(self._mapped(), self._settings.timeout_s)
        node = self._client.get_random_node()
        client = redis.asyncio.Redis(host=node.host, port=node.port, retry=_never(), **self._common)
        async with _listening(client, channel, self._settings.timeout_s) as notices:
            yield notices

    async def close(self) -> None:
        """See `Source`."""
        if self._mapping is not None:
            self._mapping.cancel()
        await self._client.aclose()

    async def _within(self, ask: Callable[..., Awaitable[Any]], *given: str) -> Any:
        async def asked() -> Any:
            await self._mapped()
            return await ask(*given)

        return await asyncio.wait_for(asked(), self._settings.timeout_s)

    async def _mapped(self) -> None:
        """Wait for the map of the cluster. Finding a node that knows it may take longer than a
        request waits, so the search continues after the request has given up."""
        if self._mapping is None or self._mapping.done():
            self._mapping = asyncio.ensure_future(self._client.initialize())
            self._mapping.add_done_callback(_seen)
        await asyncio.shield(self._mapping)


def _seen(task: asyncio.Future[Any]) -> None:
    """Retrieve the exception: perhaps nobody is waiting any more."""
    if not task.cancelled():
        task.exception()
