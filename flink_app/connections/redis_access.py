"""Connects to Redis, before a job starts or a list is looked up.

In: a `Config`. Out: a Redis client, or a ServiceError that names the address without credentials.
Every command imports it, so it imports nothing heavy.
"""

from __future__ import annotations

import contextlib

import redis

from flink_app.config import Config, Loaded
from flink_app.config.load import DEFAULT
from udfs.errors import ServiceError
from udfs.stores.redis_refusals import AWAY, FAILURES, refusal, told
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
    with told(settings.address):
        client = settings.client()
        # That is an answer, too: not every user may PING, and not with a full disk.
        with contextlib.suppress(redis.ResponseError):
            client.ping()
    return client


def redis_address(config: Config) -> str:
    """The address of Redis, without credentials."""
    return redis_settings(config).address


def find_redis(loaded: Loaded) -> tuple[redis.Redis, str]:
    """A client for lookups, and the address of its Redis; see `flink_app.local.own_redis` for
    where that is if none is configured.

    Raises:
        ServiceError: it does not answer, or refuses the connection.
    """
    address = redis_address(loaded.config)
    try:
        return redis_client(loaded.config), address
    except ServiceError as error:
        cause = error.__cause__
        none = isinstance(cause, FAILURES) and refusal(cause) == AWAY
        if loaded.origins["redis.url"] != DEFAULT or not none:
            raise
    raise ServiceError(
        f"no Redis answers at {address}, nor at port {EMBEDDED_PORT}, where `millirec run` has its "
        f"own while it runs, and there are no lists of an ended run in {loaded.config.redis.keep}: "
        "go to the folder of that run, or name a Redis with REDIS_URL or --set "
        "redis.url=redis://host:port/database."
    )
