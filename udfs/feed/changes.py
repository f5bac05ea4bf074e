"""What an item shard publishes besides its items, and the keys it publishes under.

In: nothing. Out: `Changes`; names of Redis keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from udfs.feed.entries import feed_key


class Changes(NamedTuple):
    """What an item shard publishes beside its items; as in `FeedRows`."""

    counted: Sequence[str] = ()
    pairs: Sequence[bytes] = ()
    ranker: bytes = b""


def feed_keys(prefix: str, item_shards: int) -> list[str]:
    """Every key of the feed: what a job that starts afresh deletes."""
    shards = range(item_shards)
    kinds = [feed_key(prefix, kind, n) for kind in ("snapshot", "pairs", "epoch") for n in shards]
    return [f"{prefix}feed:log", *kinds]
