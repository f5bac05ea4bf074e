"""Takes items that may not be shown any more out of the lists that stand in Redis.

In: ids of items. Out: lists of users and of items without them. All keys of the job are looked
through, some at a time; a list is replaced only if nobody has replaced it meanwhile, so a newer
list is never lost.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import Any

import redis
from redis.exceptions import RedisClusterException

from udfs.lists.contract import without
from udfs.lists.keys import CHANNEL, ITEM, KEPT, USER, escaped
from udfs.stores.redis_writer import RedisSettings

log = logging.getLogger(__name__)
FAILURES = (redis.RedisError, RedisClusterException, OSError)
"""What a sweep raises if Redis does not answer, or refuses."""
AT_ONCE = 256
"""Lists that are read at once: about a millisecond."""
_REPLACE = (
    "if redis.call('GET', KEYS[1]) == ARGV[1] then "
    "redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL') "
    "if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[3], ARGV[4]) end return 1 end return 0"
)


class ListSweep:
    """See the module; errors of Redis end a sweep, and it begins again."""

    def __init__(self, settings: RedisSettings, publish: bool) -> None:
        self._settings, self._publish = settings, publish
        self._client: redis.Redis | None = None

    def sweep(self, items: Collection[str]) -> Iterator[int]:
        """Take the items out of all lists; yields after each `AT_ONCE` keys how many lists held
        one of them.

        Raises:
            One of `FAILURES`.
        """
        if self._client is None:
            self._client = self._settings.client()
        client, prefix = self._client, self._settings.prefix
        heads = tuple(f"{prefix}{kind.key}".encode() for kind in (USER, KEPT, ITEM))
        hidden = frozenset(items)
        keys = client.scan_iter(match=f"{escaped(prefix)}*", count=AT_ONCE)
        # A list may be seen twice, which does no harm.
        for some in iter(lambda: list(islice(keys, AT_ONCE)), []):
            wanted = [key for key in some if key.startswith(heads)]
            yield self._clean(client, wanted, hidden)

    def _clean(self, client: Any, keys: Sequence[bytes], items: frozenset[str]) -> int:
        pipeline: Any = client.pipeline(transaction=False)
        for key in keys:
            pipeline.get(key)
        held = [
            (key, value, clean)
            for key, value in zip(keys, pipeline.execute(), strict=True)
            if value and (clean := without(value, items)) != value
        ]
        users = f"{self._settings.prefix}{USER.key}".encode()
        channel = f"{self._settings.prefix}{CHANNEL}"
        # In one round trip: one for each list would take most of the time.
        for key, value, clean in held:
            told = channel if self._publish and key.startswith(users) else ""
            user = key.removeprefix(users)
            # Not `eval`, which pipelines of a cluster do not have.
            pipeline.execute_command("EVAL", _REPLACE, 1, key, value, clean, told, user)
        pipeline.execute()
        return len(held)
