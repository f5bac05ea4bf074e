"""`millirec redis-usage`: how much of Redis's memory each family of millirec's keys takes.

In: a Redis client and the prefix of the keys. Out: `Family`s, and a `rich` table of them and of
all of Redis. All keys are counted; memory is measured for some keys of each family.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec
import redis
from rich import box
from rich.console import Console
from rich.table import Table

from flink_app.config import Loaded
from flink_app.connections.redis_access import find_redis
from flink_app.console.failures import FINISHED
from udfs.lists.keys import (
    CATEGORY_POPULAR,
    CATEGORY_TRENDING,
    FACTOR,
    HIDDEN,
    ITEM,
    KEPT,
    KNOWN,
    METADATA,
    POPULAR,
    RECEIPT,
    SEGMENT,
    TRENDING,
    USER,
    escaped,
)
from udfs.stores.redis_marks import MARKS
from udfs.stores.redis_refusals import told
from udfs.stores.redis_stats import STATS

_SAMPLE = 500  # keys of a family whose memory is measured
FAMILIES = {
    USER.key: "users' lists",
    KEPT.key: "what follows them",
    ITEM.key: "items' lists",
    CATEGORY_POPULAR.key: "popular in a category",
    CATEGORY_TRENDING.key: "trending in a category",
    SEGMENT.key: "of a segment of users",
    FACTOR: "users' factors",
    METADATA: "items' fields",
    RECEIPT: "receipts of forgetting",
    KNOWN: "answers about users",
    "feed:": "item feed",
    "quality:": "quality",
    "": "popular, trending, hidden, stats, marks",
}
_SINGLE = POPULAR.key, TRENDING.key, HIDDEN, STATS, MARKS, "writers"


class Family(msgspec.Struct):
    """Keys that begin alike.

    Attributes:
        keys: how many. sampled, bytes: of so many of them, all the memory they take.
    """

    prefix: str
    keys: int = 0
    sampled: int = 0
    bytes: int = 0

    @property
    def each(self) -> float:
        """Bytes of a key, with its value."""
        return self.bytes / max(self.sampled, 1)

    @property
    def total(self) -> float:
        """Bytes of all keys, by the mean of the sample."""
        return self.each * self.keys


def measure(client: redis.Redis, prefix: str) -> list[Family]:
    """All families of which there is a key, in the order of `FAMILIES`.

    Keys of others in the same Redis are not counted. It walks over all keys with SCAN, which does
    not stop Redis.
    """
    found = {family: Family(family) for family in FAMILIES}
    singles = {f"{prefix}{name}".encode() for name in _SINGLE}
    heads = {family: f"{prefix}{family}".encode() for family in FAMILIES if family}
    for key in client.scan_iter(match=f"{escaped(prefix)}*", count=1000):
        name = next((f for f, head in heads.items() if key.startswith(head)), None)
        if name is None and key not in singles:
            continue
        family = found[name or ""]
        family.keys += 1
        if family.sampled < _SAMPLE:
            family.sampled += 1
            # Few of these are large, but then all of it counts.
            size: Any = client.memory_usage(key, samples=0 if name in ("feed:", None) else 5)
            family.bytes += int(size or 0)
    return [family for family in found.values() if family.keys]


def table(families: list[Family], memory: dict[str, Any]) -> Table:
    """A row for each family, one for all of Redis, and what it does when it is full."""
    made = Table(box=box.SIMPLE_HEAD)
    for column in ("keys", "what", "count", "bytes each", "MiB"):
        made.add_column(column, justify="left" if column in ("keys", "what") else "right")
    for family in families:
        keys = f"{family.prefix}*" if family.prefix else "others"
        figures = f"{family.keys:,}", f"{family.each:,.0f}", f"{family.total / 2**20:,.1f}"
        made.add_row(keys, FAMILIES[family.prefix], *figures)
    if not memory:
        made.add_row("all", "unknown: this user may not use INFO", "", "", "-")
        return made
    limit = int(memory.get("maxmemory") or 0)
    bound = f"of {limit / 2**20:,.0f} MiB" if limit else "no limit"
    policy = memory.get("maxmemory_policy", "unknown")
    made.add_row(
        "all", f"Redis in use, {bound}, {policy}", "", "", f"{memory['used_memory'] / 2**20:,.1f}"
    )
    return made


def show(loaded: Loaded, as_json: bool) -> int:
    """Print it; the exit code.

    Raises:
        ServiceError: Redis does not answer.
    """
    config = loaded.config
    client, address = find_redis(loaded)
    with told(address):
        families = measure(client, config.redis.prefix)
        memory = _memory(client)
    if as_json:
        rows = {
            f"{f.prefix}*" if f.prefix else "others": {"keys": f.keys, "bytes": round(f.total)}
            for f in families
        }
        print(msgspec.json.encode(rows).decode())
        return FINISHED
    Console(highlight=False).print(table(families, memory))
    return FINISHED


def _memory(client: redis.Redis) -> dict[str, Any]:
    """What `INFO memory` says, with the sums of a cluster's nodes; {} if INFO is not allowed."""
    with contextlib.suppress(redis.exceptions.NoPermissionError):
        return _told_memory(client)
    return {}


def _told_memory(client: redis.Redis) -> dict[str, Any]:
    asked: Any = client  # redis 5 has no types here
    if not isinstance(client, redis.RedisCluster):
        return dict(asked.info("memory"))
    nodes = [asked.info("memory", target_nodes=node) for node in asked.get_primaries()]
    sums = {name: sum(node[name] for node in nodes) for name in ("used_memory", "maxmemory")}
    return dict(nodes[0]) | sums
