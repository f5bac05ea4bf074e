"""Kafka, asked before a job starts: a broker answers, and Flink's connector is there.

In: a `Config`. Out: a ServiceError that names the address, or the connector's jars. Imported by
every command, so nothing heavy is imported here.
"""

from __future__ import annotations

import os
from pathlib import Path

from flink_app.config import Config
from flink_app.connections.listening import listens
from udfs.errors import ServiceError


def require_kafka(config: Config) -> None:
    """See that a broker listens, where the job reads or writes Kafka.

    Raises:
        ServiceError: none does.
    """
    source, letters = config.source, config.dead_letters
    wanted = []
    if source.kind == "kafka":
        wanted.append(source.brokers)
    if letters.kind == "kafka":
        wanted.append(letters.brokers or source.brokers)
    for brokers in dict.fromkeys(wanted):
        if not any(listens(broker.strip()) for broker in brokers.split(",")):
            raise ServiceError(
                f"no Kafka broker answers at {brokers}: start it, or correct source.brokers."
            )


def connector_jars(config: Config) -> str:
    """Flink's option pipeline.jars: Kafka's connector where the job needs it, else "".

    Fetched from Maven Central once, checked by its checksum, kept in the user's cache.

    Raises:
        ServiceError: it is not there and cannot be fetched.
    """
    if "kafka" not in (config.source.kind, config.dead_letters.kind):
        return ""
    from deploy.download import fetch, pinned

    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "millirec" / "jars"
    return ";".join(jar.absolute().as_uri() for jar in fetch(pinned("flink"), cache))
