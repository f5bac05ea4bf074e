"""The part of the graph that keeps lists and histories in Cassandra, if it is configured.

In: a `Config` and the user learner's stream. Out: nothing; without `cassandra.hosts` there is no
operator and no side output.
"""

from __future__ import annotations

from pyflink.datastream import DataStream

from flink_app.config import Config
from flink_app.graph.edges import by_key, side_output
from udfs.operators.cassandra import CassandraWriter
from udfs.operators.flink import BYTES, KEPT
from udfs.stores.cassandra_connection import require_driver

NAME = "cassandra"


def keep_in_cassandra(learner: DataStream, config: Config) -> None:
    """Write what the user learner leaves for Cassandra.

    Args:
        learner: its side output `KEPT` has `(user shard key: int, Kept: bytes)`.

    Raises:
        ConfigError: the driver is not installed.
    """
    if not config.cassandra.hosts:
        return
    require_driver()
    (
        by_key(side_output(learner, KEPT))
        .process(CassandraWriter(config.cassandra), BYTES)
        .name(NAME)
        .uid(NAME)
        .disable_chaining()
    )
