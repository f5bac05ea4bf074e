"""Connects to Redis, before a job starts or a list is looked up.

In: a `Config`. Out: a Redis client, or a ServiceError that names the address without credentials.
Every command imports it, so it imports nothing heavy.
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
"""The port that `millirec run` prefers for its own Redis, and that `millirec get` tries first."""


def redis_settings(config: Config, born_ms: int = 0) -> RedisSettings:
    """How to reach Redis; `born_ms`: when the job was submitted."""
    return RedisSettings.of(config.redis, born_ms)


def redis_client(config: Config) -> redis.Redis:
    """A client for the configured Redis, which has answered.

    Raises:
        ServiceError: it does not answer, or refuses the connection.
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
    """The address of Redis, without credentials."""
    return redis_settings(config).address


def find_redis(loaded: Loaded) -> tuple[redis.Redis, str]:
    """A client for lookups, and its address: the configured Redis; if none is configured, the one
    started by `millirec run`, else the default.

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
            f"no Redis answers at {embedded.address}, where `millirec run` has its own while it "
            f"runs, nor at {redis_address(config)}: start one of them, or name yours with "
            "REDIS_URL or --set redis.url=redis://host:port/database."
        ) from None


def with_embedded_redis(loaded: Loaded) -> Config:
    """The configuration, with the Redis of `millirec run` if it runs and no other is configured."""
    config = loaded.config
    if loaded.origins["redis.url"] != DEFAULT or not listens(f"127.0.0.1:{EMBEDDED_PORT}"):
        return config
    url = f"redis://127.0.0.1:{EMBEDDED_PORT}/0"
    return msgspec.structs.replace(config, redis=msgspec.structs.replace(config.redis, url=url))


def start_afresh(client: redis.Redis, config: Config) -> None:
    """Delete what an earlier job's operators left: the item feed, `stats` and `quality:`.

    Otherwise a job that is not restored would learn from items it has never seen. Lists stay until
    they are replaced or expire.
    """
    # NumPy and the kernels: only when a job starts.
    from udfs.accounts import LISTS
    from udfs.options.sources import testable
    from udfs.stores.redis_feed import feed_keys
    from udfs.stores.redis_stats import STATS, shown_key

    prefix = config.redis.prefix
    shown = [shown_key(prefix, name) for name in (*LISTS, *testable())]
    for key in (*feed_keys(prefix, config.job.item_shards), f"{prefix}{STATS}", *shown):
        client.delete(key)
