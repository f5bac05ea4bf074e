"""Checks before a job starts that a Kafka broker answers, and provides Flink's connector.

In: a `Config`. Out: the connector's jars, or a ServiceError that names the address. Every command
imports it, so it imports nothing heavy.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from flink_app.config import Config
from flink_app.config.writable import obstacle
from flink_app.connections.listening import listens
from udfs.errors import ServiceError
from udfs.own_folder import own_folder


def require_kafka(config: Config) -> None:
    """Check that a broker listens, if the job reads from or writes to Kafka.

    Raises:
        ServiceError: no broker does.
    """
    source, letters = config.source, config.dead_letters
    used = []
    if source.kind == "kafka":
        used.append(source.brokers)
    if letters.kind == "kafka":
        used.append(letters.brokers or source.brokers)
    for brokers in dict.fromkeys(used):
        if not any(listens(broker.strip()) for broker in brokers.split(",")):
            raise ServiceError(
                f"no Kafka broker answers at {brokers}: start it, or correct source.brokers."
            )


def connector_jars(config: Config) -> str:
    """Flink's option pipeline.jars: Kafka's connector if the job needs it, else "".

    It is downloaded from Maven Central once, verified by its checksum, and kept in the user's
    cache.

    Raises:
        ServiceError: it is not in the cache and cannot be downloaded.
    """
    if "kafka" not in (config.source.kind, config.dead_letters.kind):
        return ""
    from deploy.download import fetch, pinned

    named = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    cache = Path(named) / "millirec" / "jars"
    if not cache.is_absolute() or obstacle(cache):  # a user without a home
        cache = (own_folder() or Path(tempfile.mkdtemp(prefix="millirec-"))) / "jars"
    return ";".join(jar.absolute().as_uri() for jar in fetch(pinned("flink"), cache))
