"""`millirec metrics`: a small server that Prometheus scrapes, beside a job.

In: where to listen, and the configuration, for where Redis is. Out: the metrics of
`flink_app.monitoring.metrics` over HTTP, until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import signal
import sys
from importlib.util import find_spec
from typing import Any

import redis

from flink_app.config import Loaded
from flink_app.connections.redis_access import find_redis, redis_address
from flink_app.console.failures import STOPPED
from flink_app.console.terminal import printable
from flink_app.local.own_redis import with_own_redis
from udfs.errors import ConfigError, ServiceError
from udfs.stores.redis_refusals import told
from udfs.stores.redis_stats import STATS


def export(listen: str, loaded: Loaded) -> int:
    """Serve the metrics until the process is to end; the exit code.

    Raises:
        ConfigError: `listen` is not an address, or a needed package is not installed.
        ServiceError: nothing can listen there.
    """
    host, port = address(listen)
    if missing := [name for name in ("prometheus_client", "river") if find_spec(name) is None]:
        raise ConfigError(
            f"millirec metrics needs {' and '.join(missing)}, which is not installed: "
            "install millirec with its extra, '.[metrics]'"
        )
    # River alone takes seconds to import.
    from prometheus_client import CollectorRegistry, start_http_server

    from flink_app.monitoring.collector import StatsCollector
    from flink_app.monitoring.drift import Drift

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    registry = CollectorRegistry()
    registry.register(StatsCollector(Stats(loaded).read, Drift()))
    try:
        server, thread = start_http_server(port, host, registry)
    except (OSError, UnicodeError) as error:  # the latter: no name of a host has such a form
        raise ServiceError(
            f"cannot listen on {printable(listen)}: {getattr(error, 'strerror', '') or error}. "
            "Choose another address with --listen HOST:PORT."
        ) from error
    host = f"[{host}]" if ":" in host else host
    print(f"metrics at http://{host}:{server.server_port}/metrics", file=sys.stderr, flush=True)
    try:
        thread.join()
    except KeyboardInterrupt:
        server.shutdown()
    return STOPPED


class Stats:
    """The hash `stats`, wherever Redis is when it is asked for."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded = loaded
        self._client: redis.Redis | None = None
        self._said = ""

    def read(self) -> dict[bytes, bytes]:
        """The hash; {} if there is none.

        Raises:
            ServiceError: Redis does not answer, or refuses; the first time, it is printed too.
        """
        try:
            fields = self._read()
        except ServiceError as error:
            self._client = None  # the embedded one ends with its run: look again
            if str(error) != self._said:
                self._said = str(error)
                print(f"warning: {error}", file=sys.stderr, flush=True)
            raise
        self._said = ""
        return fields

    def _read(self) -> dict[bytes, bytes]:
        loaded = with_own_redis(self._loaded)
        with told(redis_address(loaded.config)):
            client = self._client = self._client or find_redis(loaded)[0]
            fields: Any = client.hgetall(f"{loaded.config.redis.prefix}{STATS}")
        return dict(fields)


def address(listen: str) -> tuple[str, int]:
    """Host and port of an address.

    Raises:
        ConfigError: it is not an address.

    >>> address("127.0.0.1:9099"), address("[::1]:9099")
    (('127.0.0.1', 9099), ('::1', 9099))
    """
    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ConfigError(
            f"--listen {listen} is not an address: write HOST:PORT, such as 127.0.0.1:9099."
        )
    return host.removeprefix("[").removesuffix("]"), int(port)
