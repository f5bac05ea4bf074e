"""The hash `stats`, and the items that were shown, from which coverage is measured.

In: fields by name; ids of items by list. Out: `HSET` of absolute values; a HyperLogLog for each
tested list, `quality:<list>`, in which an item counts once, however often it is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from udfs.stores.redis_writer import Command, RedisWriter

STATS = "stats"
BEGAN = "began"
"""The field of when the job started without state: older lists are an earlier job's."""


def shown_key(prefix: str, name: str) -> str:
    """The key of the HyperLogLog of the items that were in the first 10 of a tested list."""
    return f"{prefix}quality:{name}"


class RedisStats:
    """Writes and reads them over a shared connection."""

    def __init__(self, redis: RedisWriter, prefix: str) -> None:
        self._redis, self._prefix = redis, prefix

    def write(self, fields: Mapping[str, str], gone: Sequence[str] = ()) -> None:
        """Set fields of the hash, and remove those that are `gone`; the errors are those of
        `RedisWriter.send`, here and below."""
        key, pairs = f"{self._prefix}{STATS}", [part for pair in fields.items() for part in pair]
        without: list[Command] = [("HDEL", key, *gone)] if gone else []
        self._redis.send([("HSET", key, *pairs), *without])

    def names(self, begin: str) -> set[str]:
        """The fields of the hash whose names begin so; what is not UTF-8 is somebody else's."""
        [found] = self._redis.send([("HKEYS", f"{self._prefix}{STATS}")])
        return {name.decode(errors="replace") for name in found if name.startswith(begin.encode())}

    def show(self, shown: Mapping[str, Sequence[str]]) -> None:
        """Count the items shown, by list."""
        commands: list[Command] = [
            ("PFADD", shown_key(self._prefix, name), *items) for name, items in shown.items()
        ]
        self._redis.send(commands)

    def shown(self, names: Sequence[str]) -> dict[str, int]:
        """How many distinct items were counted for each list, to within about one percent."""
        counts = self._redis.send([("PFCOUNT", shown_key(self._prefix, name)) for name in names])
        return dict(zip(names, counts, strict=True))
