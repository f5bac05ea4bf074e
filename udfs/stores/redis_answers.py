"""Answers to single people: receipts of forgetting, and what is known of a user.

In: keys, JSON, and for how long it stays. Out: `SET … EX`.
"""

from __future__ import annotations

from udfs.stores.redis_writer import RedisWriter


class RedisAnswers:
    """Writes them over a shared connection."""

    def __init__(self, redis: RedisWriter, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    def write(self, key: str, value: bytes, expiry_s: int) -> None:
        """Set a key without the prefix; the errors are those of `RedisWriter.send`."""
        self._redis.send([("SET", f"{self._prefix}{key}", value, "EX", expiry_s)])
