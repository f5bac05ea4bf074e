"""A Redis that Sentinels watch: where they are, and a client that follows whom they name.

In: a URL such as `redis+sentinel://host:26379,other:26379/service/0`. Out: its parts, and clients.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import unquote

import redis
from redis.sentinel import Sentinel

SCHEMES = ("redis+sentinel", "rediss+sentinel")
"""The second is TLS, to the Sentinels and to Redis."""
_PORT = 26379


class Sentinels(NamedTuple):
    """The parts of a URL.

    Attributes:
        hosts: (host, port) of each Sentinel. service: the name by which they watch the Redis.
        username, password: of Redis. tls: whether all connections are TLS.
    """

    hosts: tuple[tuple[str, int], ...]
    service: str
    database: int
    username: str
    password: str
    tls: bool

    @classmethod
    def parse(cls, url: str) -> Sentinels | None:
        """The parts of a URL with one of `SCHEMES`, None of others.

        Raises:
            ValueError: a part is missing, or is no number.

        >>> Sentinels.parse("redis+sentinel://:pass%2Fword@a:1,b/shop/3")
        Sentinels(hosts=(('a', 1), ('b', 26379)), service='shop', database=3, username='', \
password='pass/word', tls=False)
        >>> Sentinels.parse("redis://a:1/0")
        """
        scheme, _, rest = url.partition("://")
        if scheme not in SCHEMES:
            return None
        where, _, path = rest.partition("/")
        credentials, _, hosts = where.rpartition("@")
        username, _, password = credentials.partition(":")
        service, _, database = path.partition("/")
        found = []
        for host in hosts.split(","):
            name, _, port = host.partition(":")
            found.append((name, int(port or _PORT)))
        if not service or not all(name for name, _ in found):
            raise ValueError("a host or the service is missing")
        return cls(
            tuple(found), unquote(service), int(database or 0), unquote(username),
            unquote(password), scheme == SCHEMES[1],
        )  # fmt: skip

    @property
    def address(self) -> str:
        """The URL without credentials."""
        hosts = ",".join(f"{host}:{port}" for host, port in self.hosts)
        return f"{SCHEMES[self.tls]}://{hosts}/{self.service}/{self.database}"

    def client(self, timeout_s: float) -> redis.Redis:
        """A client of the service's master, which each new connection asks the Sentinels for."""
        common: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
        if self.tls:
            common["ssl"] = True
        sentinel: Any = Sentinel(self.hosts, sentinel_kwargs=common)  # type: ignore[no-untyped-call]
        client: redis.Redis = sentinel.master_for(
            self.service, db=self.database, username=self.username or None,
            password=self.password or None, **common,
        )  # fmt: skip
        return client
