"""Redis URLs that name several hosts, for Sentinels and for a Redis Cluster.

In: `SCHEME://user:password@host:port,host:port/rest`. Out: its parts.
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote


class RedisHosts(NamedTuple):
    """The parts of a URL.

    Attributes:
        hosts: (host, port), at least one. rest: the part after the hosts and a /.
        tls: whether all connections use TLS, as the scheme `rediss` asks for.
    """

    hosts: tuple[tuple[str, int], ...]
    rest: str
    username: str
    password: str
    tls: bool

    @classmethod
    def parse(cls, url: str, kind: str, port: int) -> RedisHosts | None:
        """The parts of a URL `redis+KIND://` or `rediss+KIND://`, None for other URLs.

        Args:
            port: the default for hosts without a port.

        Raises:
            ValueError: a host is missing, or a port is not a number.

        >>> RedisHosts.parse("rediss+x://:pass%2Fword@a:1,b/shop", "x", 7)
        RedisHosts(hosts=(('a', 1), ('b', 7)), rest='shop', username='', password='pass/word', \
tls=True)
        >>> RedisHosts.parse("redis://a:1/0", "x", 7)
        """
        scheme, _, rest = url.partition("://")
        if scheme not in (f"redis+{kind}", f"rediss+{kind}"):
            return None
        where, _, rest = rest.partition("/")
        credentials, _, hosts = where.rpartition("@")
        username, _, password = credentials.partition(":")
        found = []
        for host in hosts.split(","):
            name, _, given = host.partition(":")
            if not name:
                raise ValueError("a host is missing")
            found.append((name, int(given or port)))
        tls = scheme.startswith("rediss")
        return cls(tuple(found), unquote(rest), unquote(username), unquote(password), tls)

    @property
    def text(self) -> str:
        """The hosts as in the URL."""
        return ",".join(f"{host}:{port}" for host, port in self.hosts)
