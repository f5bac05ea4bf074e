"""Checks before a job starts that a Kafka broker answers, and the registry of the schemas of what
is in Kafka; provides Flink's connector.

In: a `Config`. Out: the jars of the connector and of Parquet, or a ServiceError that names the
address. Every command imports it, so it imports nothing heavy.
"""

from __future__ import annotations

from flink_app.config import Config
from flink_app.config.topics import topics
from flink_app.connections.jars import cached
from flink_app.connections.listening import listens
from udfs.errors import ServiceError


def require_kafka(config: Config) -> None:
    """Check that a broker listens, if the job reads from or writes to Kafka, and the registry too.

    Raises:
        ServiceError: no broker does. Others: see `require_registry`.
    """
    for brokers in dict.fromkeys(topic.brokers for topic in topics(config)):
        if not any(listens(broker.strip()) for broker in brokers.split(",")):
            raise ServiceError(
                f"no Kafka broker answers at {brokers}: start it, or correct source.brokers."
            )
    if config.schema_registry.url:
        from flink_app.connections.schema_registry import require_registry

        require_registry(config)


def connector_jars(config: Config) -> str:
    """Flink's option pipeline.jars: Kafka's connector and Parquet's format if the job needs them,
    else "".

    They are downloaded from Maven Central once, verified by their checksums, and kept in the user's
    cache.

    Raises:
        ServiceError: they are not in the cache and cannot be downloaded.
    """
    needed = ["flink"] * bool(topics(config)) + ["parquet"] * bool(config.ranker.log_folder)
    return ";".join(jar.as_uri() for use in needed for jar in cached(use))
