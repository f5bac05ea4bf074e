"""What a running job reports about itself, read from the Redis hash `stats`.

In: a Redis client and the prefix of the keys. Out: `Totals`, numbers, for the live line and the
summary. `udfs.accounts.fields` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import redis


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """Counts since the job began, and current figures.

    Attributes:
        at: when they were written, ms since 1970.
        lines: lines, or messages, as Flink's source handed them over.
        received: events read = learned + duplicates + rejected + ignored + described + refused +
            opted_out once all are accounted for; a line counts as one unless it holds several.
        described: changes of items' metadata, and what is said of users.
        refused, opted_out: events of users who were forgotten, from before that; events of users
            who do not want to be learned from.
        dead: unusable lines by reason.
        events_per_s, lists_per_s: over the last 5 s.
        freshness_p50_ms, freshness_p99_ms: from event to list in Redis, over the last minute.
        encoder: vectors made, what got none, and what waits, see `udfs.accounts.Account`.
        crowd: what was not learned from, see `udfs.accounts.Account`.
        attribution: what became of lists, see `udfs.attributed`.
        experiment: what is known of experiments, see `udfs.experiments.told`.
        feed: bytes of the item feed that were written as changes and as snapshots, and read.
        total_freshness_p50_ms, total_freshness_p99_ms: since the job began.
        batches, waited_ms: pieces of micro-batches that were learned; the sum of the times from the
            opening of their windows to when learning began.
        stages: microseconds spent by stage, of the user learner.
        quality, total_quality: means over tests of the last minute, and since the job began, by
            `<list>:<measure>` (see `udfs.learning.quality`).
    """

    at: int = 0
    lines: int = 0
    received: int = 0
    learned: int = 0
    duplicates: int = 0
    ignored: int = 0
    described: int = 0
    refused: int = 0
    opted_out: int = 0
    dead: dict[str, int] = {}
    lists: int = 0
    users: int = 0
    items: int = 0
    batches: int = 0
    waited_ms: int = 0
    events_per_s: int = 0
    lists_per_s: int = 0
    freshness_p50_ms: float = 0.0
    freshness_p99_ms: float = 0.0
    total_freshness_p50_ms: float = 0.0
    total_freshness_p99_ms: float = 0.0
    encoder: dict[str, int] = {}
    crowd: dict[str, int] = {}
    attribution: dict[str, float] = {}
    experiment: dict[str, str] = {}
    feed: dict[str, int] = {}
    stages: dict[str, int] = {}
    quality: dict[str, float] = {}
    total_quality: dict[str, float] = {}

    @property
    def rejected(self) -> int:
        """Lines in the dead letters."""
        return sum(self.dead.values())

    @property
    def missing(self) -> int:
        """Lines read and not accounted for: 0 once a job has finished or has nothing to do."""
        return self.received - self.accounted

    @property
    def accounted(self) -> int:
        """Lines of which the outcome is known."""
        taken = self.learned + self.duplicates + self.described
        unlearned = self.refused + self.opted_out
        return taken + unlearned + self.rejected + self.ignored


def parse_totals(fields: Mapping[bytes, bytes]) -> Totals:
    """The totals that a `stats` hash holds; fields that are not totals are skipped.

    >>> parse_totals({b"received": b"3", b"learned": b"2", b"dead": b"1", b"dead:json": b"1"}).dead
    {'json': 1}
    >>> parse_totals({b"stage:rank_us": b"5"}).stages
    {'rank': 5}
    >>> parse_totals({b"encoder:made:text": b"5"}).encoder
    {'made:text': 5}
    >>> parse_totals({b"feed:read_bytes": b"7"}).feed
    {'read': 7}
    """
    values: dict[str, Any] = {}
    groups: dict[str, dict[str, str]] = {}
    for name, value in ((name.decode(), value.decode()) for name, value in fields.items()):
        group, colon, member = name.partition(":")
        if colon:
            groups.setdefault(group, {})[member] = value
        elif name in Totals.__struct_fields__ and name != "dead":
            values[name] = value
    stages = {name.removesuffix("_us"): value for name, value in groups.pop("stage", {}).items()}
    feed = {name.removesuffix("_bytes"): value for name, value in groups.pop("feed", {}).items()}
    return msgspec.convert(
        {**values, **groups, "stages": stages, "feed": feed}, Totals, strict=False
    )


def read_totals(client: redis.Redis, prefix: str, since_ms: int = 0) -> Totals | None:
    """The totals in Redis; None if there are none yet, or none written after `since_ms`.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    fields: Any = client.hgetall(f"{prefix}stats")
    totals = parse_totals(fields) if b"received" in fields else None
    return totals if totals is not None and totals.at >= since_ms else None
