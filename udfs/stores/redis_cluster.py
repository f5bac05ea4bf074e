"""A Redis Cluster: where it is, a client of it, and a writer that sends each node its part.

In: a URL such as `redis+cluster://host:6379,other:6379`; commands. Out: clients; replies in the
order of the commands. Keys are spread by redis-py's own map of the cluster.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import hiredis
import redis
from redis.cluster import ClusterNode
from redis.crc import key_slot
from redis.exceptions import RedisClusterException

from udfs.errors import MillirecError
from udfs.stores.redis_hosts import RedisHosts

_PORT = 6379
_TRIES = 10_000  # names tried to find one on each node: a node has many slots


def parse(url: str) -> RedisHosts | None:
    """The parts of `redis+cluster://` and, for TLS, `rediss+cluster://`; None for other URLs.

    Raises:
        ValueError: a host is missing, a port is not a number, or a database is named: a cluster
            has only database 0.

    >>> parse("rediss+cluster://a:1,b").hosts
    (('a', 1), ('b', 6379))
    """
    hosts = RedisHosts.parse(url, "cluster", _PORT)
    if hosts is not None and hosts.rest not in ("", "0"):
        raise ValueError("a cluster has no databases")
    return hosts


def client(hosts: RedisHosts, **options: Any) -> redis.RedisCluster:
    """A client that has asked one of the hosts for the map of the cluster.

    Args:
        options: of each connection; they override `hosts`.

    Raises:
        redis.ConnectionError: no host answers, or they are not a cluster.
    """
    said = {"username": hosts.username, "password": hosts.password, "ssl": hosts.tls}
    given = {name: value for name, value in options.items() if value}
    node: Any = ClusterNode  # redis 5 has no types here
    try:
        made: redis.RedisCluster = redis.RedisCluster(
            startup_nodes=[node(host, port) for host, port in hosts.hosts], **said | given
        )
        return made
    except RedisClusterException as error:
        if isinstance(error.__cause__, MillirecError):  # raised by the callback of a new connection
            raise error.__cause__ from None
        raise redis.ConnectionError(str(error)) from error


def home(command: Sequence[bytes], otherwise: bytes) -> bytes:
    """The key that decides which node a command goes to; `otherwise` if it has no key.

    A notice goes to the node of its list, so that it comes after it.

    >>> home([b"SET", b"a", b"1"], b""), home([b"PUBLISH", b"rec", b"ann"], b"")
    (b'a', b'rec:ann')
    >>> home([b"XREAD", b"COUNT", b"1", b"STREAMS", b"log", b"0"], b""), home([b"TIME"], b"log")
    (b'log', b'log')
    """
    if len(command) == 1:
        return otherwise
    if command[0] == b"PUBLISH":
        return command[1] + b":" + command[2]
    if command[0] == b"XREAD":
        return command[list(command).index(b"STREAMS") + 1]
    return command[1]


class ClusterNodes:
    """The connections of one writer to all nodes that hold keys.

    Args:
        connect: makes a client of the cluster. otherwise: as in `home`.

    Attributes:
        tags: a hash tag on each node, such as "{3}": keys that end with it are on that node.
    """

    def __init__(self, connect: Callable[[], redis.RedisCluster], otherwise: bytes) -> None:
        self._connect, self._otherwise = connect, otherwise
        self._client: Any = None
        self.tags: list[str] = []

    def exchange(self, commands: Sequence[bytes]) -> list[Any]:
        """The replies to packed commands; those for one node are sent together, in order.

        Raises:
            redis.RedisError: a node does not answer, refuses, or has passed a key to another. The
                next call then loads the map again; commands may have been carried out.
        """
        try:
            return self._exchange(self._current(), commands)
        except RedisClusterException as error:
            self._client = None
            raise redis.ConnectionError(str(error)) from error
        except BaseException:
            self._client = None
            raise

    def _current(self) -> Any:
        """The client; a new one connects to each node before anything is sent, because connecting
        is what shuts out older writers."""
        if self._client is None:
            client: Any = self._connect()
            nodes = client.get_primaries()
            for node in nodes:
                pool = node.redis_connection.connection_pool
                pool.release(pool.get_connection())
            self.tags = self._tags(client, len(nodes))
            self._client = client
        return self._client

    def _tags(self, client: Any, nodes: int) -> list[str]:
        found: dict[str, str] = {}
        for tag in (f"{{{n}}}" for n in range(_TRIES)):
            slot = key_slot(self._otherwise + tag.encode())
            found.setdefault(client.nodes_manager.get_node_from_slot(slot).name, tag)
            if len(found) == nodes:
                break
        return list(found.values())

    def _exchange(self, client: Any, commands: Sequence[bytes]) -> list[Any]:
        parts: dict[str, tuple[Any, list[int]]] = {}
        reader = hiredis.Reader()
        for n, command in enumerate(commands):
            reader.feed(command)
            slot = key_slot(home(reader.gets(), self._otherwise))
            node = client.nodes_manager.get_node_from_slot(slot)
            parts.setdefault(node.name, (node, []))[1].append(n)
        replies: list[Any] = [None] * len(commands)
        failure: redis.ResponseError | None = None
        with contextlib.ExitStack() as stack:
            open_ = [
                (stack.enter_context(_borrowed(node)), numbers) for node, numbers in parts.values()
            ]
            for connection, numbers in open_:
                connection.send_packed_command([b"".join(commands[n] for n in numbers)])
            for connection, numbers in open_:
                for n in numbers:
                    try:
                        replies[n] = connection.read_response()
                    except redis.ResponseError as error:
                        failure = failure or error
            if failure is not None:
                raise failure
        return replies


@contextlib.contextmanager
def _borrowed(node: Any) -> Any:
    """A connection to a node, closed if something goes wrong, because replies may still be on the
    way."""
    pool = node.redis_connection.connection_pool
    connection = pool.get_connection()
    try:
        yield connection
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)
