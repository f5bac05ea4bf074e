"""A Redis watched by Sentinels: where they are, and a client that follows the master they name.

In: a URL such as `redis+sentinel://host:26379,other:26379/service/0`. Out: its parts, and clients.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import redis
from redis.sentinel import Sentinel

from udfs.stores.redis_hosts import RedisHosts

_PORT = 26379


class Sentinels(NamedTuple):
    """The parts of a URL.

    Attributes:
        at: where the Sentinels are, with the user name and password for Redis.
        service: the name under which they watch the Redis.
    """

    at: RedisHosts
    service: str
    database: int

    @classmethod
    def parse(cls, url: str) -> Sentinels | None:
        """The parts of `redis+sentinel://` and, for TLS, `rediss+sentinel://`; None for other URLs.

        Raises:
            ValueError: a part is missing, or is not a number.

        >>> found = Sentinels.parse("redis+sentinel://a:1,b/shop/3")
        >>> found.at.hosts, found.service, found.database
        ((('a', 1), ('b', 26379)), 'shop', 3)
        """
        at = RedisHosts.parse(url, "sentinel", _PORT)
        if at is None:
            return None
        service, _, database = at.rest.partition("/")
        if not service:
            raise ValueError("the service is missing")
        return cls(at, service, int(database or 0))

    @property
    def address(self) -> str:
        """The URL without credentials."""
        scheme = "rediss" if self.at.tls else "redis"
        return f"{scheme}+sentinel://{self.at.text}/{self.service}/{self.database}"

    def client(self, timeout_s: float) -> redis.Redis:
        """A client of the service's master; each new connection asks the Sentinels where it is."""
        common: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
        if self.at.tls:
            common["ssl"] = True
        sentinel: Any = Sentinel(self.at.hosts, sentinel_kwargs=common)  # type: ignore[no-untyped-call]
        client: redis.Redis = sentinel.master_for(
            self.service,
            db=self.database,
            username=self.at.username or None,
            password=self.at.password or None,
            **common,
        )
        return client
