"""Redis, asked before a job starts or a list is looked up.

In: a `Config`. Out: a Redis client, or a ServiceError that names the address without credentials.
Imported by every command, so nothing heavy is imported here.
"""

from __future__ import annotations

import msgspec
import redis

from flink_app.config import Config, Loaded
from flink_app.config.load import DEFAULT
from flink_app.connections.listening import listens
from udfs.errors import ServiceError
from udfs.stores.redis_writer import RedisSettings

EMBEDDED_PORT = 6399
"""Where `millirec run` puts its own Redis if it can, and `millirec get` looks first."""


def redis_settings(config: Config, born_ms: int = 0) -> RedisSettings:
    """Where Redis is; `born_ms` is when the job was submitted."""
    redis = config.redis
    return RedisSettings(
        redis.url, redis.username, redis.password, redis.prefix, redis.timeout_s, redis.retry_s,
        born_ms,
    )  # fmt: skip


def redis_client(config: Config) -> redis.Redis:
    """A client for the Redis of the configuration, which has answered.

    Raises:
        ServiceError: it does not answer, or refuses.
    """
    settings = redis_settings(config)
    try:
        client = settings.client()
        client.ping()
    except redis.RedisError as error:
        raise ServiceError(
            f"Redis at {settings.address} does not answer: {error}. Start it, or name another with "
            "REDIS_URL or --set redis.url=redis://host:port/database."
        ) from error
    return client


def redis_address(config: Config) -> str:
    """Where Redis is, without credentials."""
    return redis_settings(config).address


def find_redis(loaded: Loaded) -> tuple[redis.Redis, str]:
    """A client for lookups, and its address: the Redis that is configured; where none is, the one
    that `millirec run` has started, else the default.

    Raises:
        ServiceError: none answers.
    """
    config = loaded.config
    if loaded.origins["redis.url"] != DEFAULT:
        return redis_client(config), redis_address(config)
    embedded = RedisSettings(f"redis://127.0.0.1:{EMBEDDED_PORT}/0", timeout_s=1.0)
    client = embedded.client()
    try:
        client.ping()
    except redis.RedisError:
        pass
    else:
        return client, embedded.address
    try:
        return redis_client(config), redis_address(config)
    except ServiceError:
        raise ServiceError(
            f"no Redis answers at {embedded.address}, where `millirec run` keeps its own as long "
            f"as it runs, nor at {redis_address(config)}: start one of them, or name yours with "
            "REDIS_URL or --set redis.url=redis://host:port/database."
        ) from None


def with_embedded_redis(loaded: Loaded) -> Config:
    """The configuration, with the Redis that `millirec run` has started where none is configured
    and that one is there."""
    config = loaded.config
    if loaded.origins["redis.url"] != DEFAULT or not listens(f"127.0.0.1:{EMBEDDED_PORT}"):
        return config
    url = f"redis://127.0.0.1:{EMBEDDED_PORT}/0"
    return msgspec.structs.replace(config, redis=msgspec.structs.replace(config.redis, url=url))


def start_afresh(client: redis.Redis, config: Config) -> None:
    """Delete what an earlier job has left for its operators: the item feed, `stats` and `quality:`.

    A job that is not restored would else learn on with items it has never seen. Lists stay until
    they are replaced or expire.
    """
    # NumPy and the kernels: only when a job starts.
    from udfs.accounts import LISTS, TESTABLE
    from udfs.stores.redis_feed import feed_keys
    from udfs.stores.redis_stats import STATS, shown_key

    prefix = config.redis.prefix
    shown = [shown_key(prefix, name) for name in (*LISTS, *TESTABLE)]
    for key in (*feed_keys(prefix, config.job.item_shards), f"{prefix}{STATS}", *shown):
        client.delete(key)
