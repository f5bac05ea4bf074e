"""What is done in Redis before a job starts: its rights are tried, an earlier job's keys removed.

In: a client and a `Config`. Out: a Redis in which the job can write, and finds nothing of an
earlier job that it does not continue; or one sentence.
"""

from __future__ import annotations

import contextlib
import copy
from itertools import islice
from pathlib import Path
from typing import Any

import redis

from flink_app.config import Config
from flink_app.config.paths import is_local, local
from flink_app.connections.redis_access import redis_settings
from udfs.errors import ServiceError
from udfs.lists.keys import (
    CATEGORY_POPULAR,
    CATEGORY_TRENDING,
    CHANNEL,
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
from udfs.stores.redis_refusals import FAILURES, told
from udfs.stores.redis_stats import BEGAN, STATS, shown_key

_AT_ONCE = 1000
_REFUSED = redis.exceptions.NoPermissionError


def require_rights(client: redis.Redis, config: Config) -> None:
    """Do once, on keys without an owner, what the job is going to do all the time.

    So that a replica, a full Redis or a missing right is told now, not after the job has retried
    for `redis.retry_s`.

    Raises:
        ServiceError: Redis refuses one of the commands, keys or channels.
    """
    prefix = config.redis.prefix
    asked: list[tuple[str, ...]] = []
    trial, log = f"{prefix}feed:trial", f"{prefix}feed:trial-log"
    hidden = f"{prefix}{HIDDEN}"
    kinds = [
        USER.key,
        ITEM.key,
        METADATA,
        RECEIPT,
        KNOWN,
        *([FACTOR] if config.redis.factors else []),
    ]
    kinds += [KEPT.key] if config.lists.kept else []
    for key in [f"{prefix}{kind}" for kind in kinds]:  # no id is empty
        asked.append(("SET", key, "", "EX", "1"))
        asked.append(("DEL", key))
    names = POPULAR.key, TRENDING.key, f"{POPULAR.key}:", f"{TRENDING.key}:"  # no category is ""
    for name in (*names, SEGMENT.key, STATS, "filled", "writers"):
        asked.append(("EXISTS", f"{prefix}{name}"))
    asked += [("HSET", trial, "0", "0"), ("HGET", trial, "0"), ("HKEYS", trial), ("DEL", trial)]
    asked += [("GET", trial), ("MGET", trial), ("HGETALL", trial)]
    asked += [("SADD", trial, "0"), ("SREM", trial, "0"), ("SREM", hidden, "")]
    asked += [("HSCAN", trial, "0"), ("HDEL", trial, "0")]
    asked += [("XADD", log, "*", "rows", ""), ("DEL", log), ("TIME",)]
    asked.append(("XREAD", "COUNT", "1", "STREAMS", log, "0"))
    shown = shown_key(prefix, "trial")
    asked += [("PFADD", shown, "0"), ("PFCOUNT", shown), ("DEL", shown)]
    if config.redis.publish:
        asked.append(("PUBLISH", f"{prefix}{CHANNEL}", ""))
    asked.append(("PUBLISH", hidden, ""))
    ask: Any = client
    for command in asked:
        try:
            ask.execute_command(*command)
        except FAILURES as error:
            with told(redis_settings(config).address):
                raise _naming(error, command) from error


def _naming(error: Exception, command: tuple[str, ...]) -> Exception:
    """The same error, and which command it was: Redis names the kind of what it refuses only."""
    named = copy.copy(error)
    named.args = (f"{' '.join(command[:2])}: {error}",)
    return named


def continues(client: redis.Redis, prefix: str, checkpoint: str) -> bool:
    """Whether a job goes on with what is in Redis.

    It does not if it has no checkpoint, or if since that was made another job has started without
    state: the lists are that one's, and the job writes its own again once they are removed.

    Args:
        checkpoint: its path or URI; one that is not on this machine is taken for the newer.
    """
    if not checkpoint:
        return False
    folder = local(checkpoint) if is_local(checkpoint) else Path(checkpoint)
    try:
        made_s = (folder if folder.is_file() else folder / "_metadata").stat().st_mtime
    except OSError:
        return True
    return made_s * 1000 >= began_ms(client, prefix)


def start_afresh(client: redis.Redis, config: Config, born_ms: int) -> str:
    """Shut out an earlier job, and delete what it left: the item feed, `stats`, `quality:`, lists.

    Otherwise a job that is not restored would learn from items it has never seen, and its readers
    take another job's lists for its own (docs/decisions/old-lists.md). Then note in `stats` when
    this job began.

    Args:
        born_ms: now; not later than the job's own birth.

    Returns: what could not be removed, in a sentence, or "".

    Raises:
        ServiceError: Redis does not answer, or refuses; a newer job writes to it.
    """
    # NumPy and the kernels: only when a job starts.
    from udfs.accounts import LISTS
    from udfs.options.own import every_beside
    from udfs.options.sources import testable
    from udfs.stores.fence import Fence
    from udfs.stores.redis_feed import feed_keys
    from udfs.stores.redis_marks import MARKS
    from udfs.stores.redis_metadata import metadata_keys
    from udfs.stores.redis_writer import RedisWriter

    prefix, settings = config.redis.prefix, redis_settings(config)
    settings.retry_s = 0.0
    writer = RedisWriter(settings, fence=Fence(prefix, born_ms, "start", born_ms))
    shown = [shown_key(prefix, name) for name in (*LISTS, *testable(), *every_beside())]
    stats = f"{prefix}{STATS}"
    shards = config.job.item_shards
    keys = [*feed_keys(prefix, shards), *metadata_keys(prefix, shards)]
    keys += [stats, f"{prefix}{MARKS}", *shown]
    try:
        writer.send([("DEL", key) for key in keys])
        writer.send([("HSET", stats, BEGAN, born_ms)])
    except ServiceError as error:
        if error.__cause__ is None:
            raise  # a newer job
        with told(settings.address):
            raise error.__cause__ from None
    with told(settings.address):
        try:
            remove_lists(client, prefix, config.redis.old_lists_s)
        except _REFUSED as error:
            return (
                f"Redis at {settings.address} does not allow SCAN ({error}): lists of an earlier "
                "job, if there are any, stay until they are replaced or expire."
            )
    return ""


def remove_lists(client: redis.Redis, prefix: str, after_s: int) -> None:
    """Remove all lists and factors, or have them expire after `after_s` seconds.

    Raises:
        redis.RedisError: Redis does not answer, or refuses.
    """
    kinds = USER, KEPT, ITEM, CATEGORY_POPULAR, CATEGORY_TRENDING, SEGMENT
    heads = tuple(f"{prefix}{key}".encode() for key in (*(kind.key for kind in kinds), FACTOR))
    shared = {f"{prefix}{kind.key}".encode() for kind in (POPULAR, TRENDING)}
    found = client.scan_iter(match=f"{escaped(prefix)}*", count=_AT_ONCE)
    lists = (key for key in found if key.startswith(heads) or key in shared)
    while some := list(islice(lists, _AT_ONCE)):
        pipeline: Any = client.pipeline(transaction=False)
        for key in some:
            pipeline.expire(key, after_s) if after_s else pipeline.delete(key)
        pipeline.execute()


def began_ms(client: redis.Redis, prefix: str) -> int:
    """When the job that writes to Redis started without state, ms since 1970; 0: not known."""
    found: Any = None
    with contextlib.suppress(*FAILURES):  # a reader of lists may not be allowed to see `stats`
        found = client.hget(f"{prefix}{STATS}", BEGAN)
    return int(found) if found and found.isdigit() else 0
