"""One pipeline of absolute values per batch to Redis, retried until it is written.

In: commands, in parts or packed. Out: their replies. Values are absolute, so writing
them again after a failure does no harm. To a Redis Cluster it is a pipeline for each node.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast
from urllib.parse import urlsplit

import hiredis
import redis

from udfs.errors import ServiceError
from udfs.options.runtime import Redis
from udfs.stores import redis_cluster
from udfs.stores.fence import Fence
from udfs.stores.redis_cluster import ClusterNodes
from udfs.stores.redis_hosts import RedisHosts
from udfs.stores.redis_refusals import refusal, words
from udfs.stores.redis_replies import Replies
from udfs.stores.sentinels import Sentinels

_pack: Callable[[tuple[Any, ...]], bytes] = hiredis.pack_command
log = logging.getLogger(__name__)
Command = Sequence[str | bytes | int] | bytes
"""Its parts, or the command already encoded in Redis's protocol, which is faster for lists."""


def _packed(command: Command) -> bytes:
    return command if isinstance(command, bytes) else _pack(tuple(command))


class RedisSettings:
    """Where Redis is and how long to wait for it; its `repr` never contains the password.

    `born_ms` is when the job was submitted: its writers shut out those of older jobs; 0: they do
    not.
    """

    def __init__(
        self,
        url: str,
        username: str = "",
        password: str = "",
        prefix: str = "",
        timeout_s: float = 2.0,
        retry_s: float = 60.0,
        born_ms: int = 0,
    ) -> None:
        self.url, self.username, self.password = url, username, password
        self.prefix, self.timeout_s, self.retry_s = prefix, timeout_s, retry_s
        self.born_ms = born_ms

    @classmethod
    def of(cls, redis: Redis, born_ms: int = 0) -> RedisSettings:
        """The settings from the section of the configuration."""
        names = ("url", "username", "password", "prefix", "timeout_s", "retry_s")
        return cls(**{name: getattr(redis, name) for name in names}, born_ms=born_ms)

    @property
    def address(self) -> str:
        """Host, port and database, or the socket's path, without credentials."""
        if sentinels := Sentinels.parse(self.url):
            return sentinels.address
        if cluster := self.cluster:
            return f"redis{'s' * cluster.tls}+cluster://{cluster.text}"
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return f"unix://{parts.path}"
        return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or 6379}{parts.path}"

    def __repr__(self) -> str:
        return f"RedisSettings({self.address})"

    @property
    def cluster(self) -> RedisHosts | None:
        """Where the nodes of a Redis Cluster are; None if it is a single Redis."""
        return redis_cluster.parse(self.url)

    def client(self, connected: Callable[[Any], object] | None = None) -> redis.Redis:
        """A new client; `rediss` means TLS, username and password override the URL's.

        For a cluster it is a `redis.RedisCluster`, which loads the cluster's map at once.

        Args:
            connected: called with each new connection; it must call `on_connect` on it itself,
                except for a cluster.

        Raises:
            ServiceError: the URL is not a Redis URL. redis.ConnectionError: a cluster does not
                answer.
        """
        given = {"username": self.username, "password": self.password}
        hook = {"redis_connect_func": connected}
        waits = {"socket_timeout": self.timeout_s, "socket_connect_timeout": self.timeout_s}
        try:
            if cluster := self.cluster:
                made = redis_cluster.client(cluster, **given, **hook, **waits)
                return cast(redis.Redis, made)  # it has the same commands
            if sentinels := Sentinels.parse(self.url):
                client = sentinels.client(self.timeout_s)
            else:
                client = redis.Redis.from_url(self.url, **waits)
        except ValueError:  # its text may hold a part of the password
            raise ServiceError(
                "redis.url is not one that Redis clients understand. "
                "Write redis://HOST:PORT/DATABASE, rediss:// for TLS, "
                "redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DATABASE, "
                "redis+cluster://HOST:PORT,HOST:PORT, and in a password # as %23, / as %2F and @ "
                "as %40."
            ) from None
        # If given to `from_url`, they would be overridden by the URL.
        client.connection_pool.connection_kwargs.update(
            {name: value for name, value in (given | hook).items() if value}
        )
        return client


class RedisWriter:
    """A connection that sends many commands in one round trip, and waits out a Redis that is down.

    Args:
        settings: where Redis is.
        sleep: replaced in tests. fence: shuts out older writers.
    """

    def __init__(
        self,
        settings: RedisSettings,
        sleep: Callable[[float], object] = time.sleep,
        fence: Fence | None = None,
    ) -> None:
        self._settings = settings
        self._fence, self._sleep = fence, sleep
        self.round_trips = self.connections = 0
        self._plain: redis.Redis | None = None
        self._idle: list[Any] = []  # taken and returned by several threads, each of them at once
        self._nodes: ClusterNodes | None = None
        if settings.cluster:
            connect: Any = partial(settings.client, self._joined)
            self._nodes = ClusterNodes(connect, f"{settings.prefix}feed:log".encode())
        else:
            self.client = settings.client(self._connected)
            self.client.connection_pool.connection_kwargs["parser_class"] = Replies

    @property
    def tags(self) -> list[str]:
        """Endings of keys, one for each node: keys that end with it are there. [""] without a
        cluster."""
        return (self._nodes.tags if self._nodes else []) or [""]

    def _connected(self, connection: Any) -> None:
        connection.on_connect()
        self.connections += 1
        if self._fence:
            self._fence.claim(connection)

    def _joined(self, connection: Any) -> None:
        """Like `_connected`, for a node of a cluster: the claims may be on another node."""
        self.connections += 1
        if self._fence:
            self._plain = self._plain or self._settings.client()
            self._fence.claim(connection, self._plain.execute_command)

    def send(self, commands: Sequence[Command]) -> list[Any]:
        """Send the commands in one pipeline and return their replies.

        Raises:
            ServiceError: Redis did not take them within `retry_s`; the job then restarts from its
                checkpoint and writes the same keys again. Or a newer writer has shut out this one.
        """
        if not commands:
            return []
        deadline, pause = time.monotonic() + self._settings.retry_s, 0.05
        while True:
            try:
                return self._send_once(commands)
            except (redis.RedisError, OSError) as error:
                if time.monotonic() + pause > deadline:
                    what, advice = refusal(error)
                    raise ServiceError(
                        f"Redis at {self._settings.address} has not taken a write for "
                        f"{self._settings.retry_s:g} s: it {what}: {words(error)}. {advice} "
                        "Nothing is lost: the job goes back to its last checkpoint, or to the "
                        "start if there is none."
                    ) from error
                said = self._settings.address, refusal(error).what, words(error)
                log.warning("Redis at %s %s: %s; retrying", *said)
                self._sleep(pause)
                pause = min(pause * 2, 2.0)

    def try_to(self, *commands: Command) -> list[Any]:
        """The replies to the commands; empty if Redis does not answer now."""
        try:
            return self._send_once(commands)
        except (redis.RedisError, OSError):
            return []

    def _send_once(self, commands: Sequence[Command]) -> list[Any]:
        if self._nodes:
            replies = self._nodes.exchange([_packed(command) for command in commands])
            self.round_trips += 1
            return replies
        connection = self._ready()
        try:
            connection.send_packed_command([b"".join(map(_packed, commands))], check_health=False)
            self.round_trips += 1
            connection.replies.wanted = len(commands)
            found: list[Any] = connection.replies.read_response()
            for reply in found:
                if isinstance(reply, redis.ResponseError):
                    raise reply
            return found
        except BaseException:
            connection.disconnect()
            raise
        finally:
            self._idle.append(connection)

    def _ready(self) -> Any:
        """A connection that nobody uses. It does not go back to redis-py's pool: taking it out of
        there and returning it costs as much as a short list."""
        try:
            connection = self._idle.pop()
        except IndexError:
            return self.client.connection_pool.get_connection()
        try:
            if connection._sock and not connection.replies.can_read(0):
                return connection
        except (redis.RedisError, OSError) as error:
            log.info("The connection to Redis has ended: %s", error)
        try:
            connection.disconnect()  # it has ended, or something came in that nobody asked for
            connection.connect()
        except BaseException:
            self._idle.append(connection)
            raise
        return connection
