"""Checks what is configured of Cassandra, without asking it.

In: a `Config` whose options are each valid. Out: nothing, or a ConfigError that says what to write.
"""

from __future__ import annotations

import re

from flink_app.config.tree import Config
from udfs.errors import ConfigError
from udfs.stores.cassandra_schema import KEY_BYTES, schema

_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:]*")


def check_cassandra(config: Config) -> None:
    """Raise ConfigError unless lists can be kept as `config` says."""
    cassandra, longest = config.cassandra, config.events.max_id_bytes
    if not cassandra.hosts:
        return
    schema(cassandra.keyspace, 1)
    for host in cassandra.hosts:
        if not _HOST.fullmatch(host):
            raise ConfigError(
                f'cassandra.hosts has "{host}": write names or addresses; their port is '
                "cassandra.port."
            )
    if longest > KEY_BYTES:
        raise ConfigError(
            f"events.max_id_bytes is {longest}, but Cassandra's keys hold {KEY_BYTES} bytes: set "
            f"events.max_id_bytes to {KEY_BYTES} or less."
        )
    if cassandra.password and not cassandra.user:
        raise ConfigError("cassandra.password is set without a cassandra.user: set it too.")
