"""Where lists are if no Redis is configured: in the Redis of `millirec run`, running or kept.

In: a loaded configuration. Out: the same with the address of that Redis, which is started from its
file if its run has ended; a line on standard error says so.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from msgspec.structs import replace

from flink_app.config import Config, Loaded
from flink_app.config.load import DEFAULT
from flink_app.connections.listening import listens
from flink_app.connections.redis_access import EMBEDDED_PORT
from flink_app.console.live import clock
from flink_app.console.terminal import printable
from flink_app.local.kept_redis import KeptRedis
from flink_app.local.ports import LOOPBACK, in_use
from flink_app.local.redis_server import RedisServer, Unreadable
from udfs.errors import ServiceError
from udfs.stores.redis_refusals import FAILURES
from udfs.stores.redis_stats import STATS

OWN = "the Redis of millirec run"
"""Where the option redis.url comes from if this module has set it."""

_held: dict[Path, KeptRedis] = {}
"""What this process uses until it ends, by folder."""


def _warn(text: str) -> None:
    print(printable(text), file=sys.stderr, flush=True)


def with_own_redis(loaded: Loaded, say: Callable[[str], None] = _warn) -> Loaded:
    """The configuration with the Redis of this folder's run, else of another's that runs now; the
    same configuration if one is configured or there is neither.

    Raises:
        ServiceError: the file of an ended run cannot be used.
    """
    config = loaded.config
    if loaded.origins["redis.url"] != DEFAULT:
        return loaded
    url = _kept_url(config, say)
    if not url and listens(f"{LOOPBACK}:{EMBEDDED_PORT}"):
        url = f"redis://{LOOPBACK}:{EMBEDDED_PORT}/0"
    return at(loaded, url) if url else loaded


def at(loaded: Loaded, url: str) -> Loaded:
    """The configuration with another address of Redis."""
    changed = replace(loaded.config, redis=replace(loaded.config.redis, url=url))
    return replace(loaded, config=changed, origins=loaded.origins | {"redis.url": OWN})


def save_kept() -> None:
    """Keep what this process has written to the Redis of an ended run.

    Raises:
        ServiceError: it cannot be kept.
    """
    for kept in _held.values():
        if not kept.running() and (reason := kept.save()):
            raise ServiceError(f"{kept.dump} could not be written: {reason}.")


def redis_of_run(
    config: Config, stack: contextlib.ExitStack, say: Callable[[str], None]
) -> tuple[str, KeptRedis | None]:
    """A Redis for a run, until `stack` is closed; its URL, and where its lists are kept, if so."""
    if config.redis.keep:
        try:
            if kept := _claimed(config, say):
                stack.callback(kept.leave)
                stack.callback(kept.save)  # before; it does nothing the second time
                return kept.url, kept
        except OSError as error:
            say(
                f"{config.redis.keep} cannot be used ({error.strerror}): the lists end with the "
                "run. Name another folder with --set redis.keep=FOLDER."
            )
    port = None if in_use(EMBEDDED_PORT) else EMBEDDED_PORT
    return stack.enter_context(RedisServer(port)).url, None


def _claimed(config: Config, say: Callable[[str], None]) -> KeptRedis | None:
    """The Redis of the folder; None if another run uses it."""
    kept = KeptRedis(Path(config.redis.keep), EMBEDDED_PORT)
    try:
        kept.__enter__()
    except Unreadable as error:
        say(f"{_unreadable(kept, error)} It is now {kept.set_aside().name}; the run starts anew.")
        kept.__enter__()
    if kept.claim():
        return kept
    kept.leave()
    say(f"another run keeps its lists in {config.redis.keep}: those of this one end with it.")
    return None


def _unreadable(kept: KeptRedis, error: Unreadable) -> str:
    return f"{kept.dump} is not a file of lists that this redis-server can read ({error})."


def _kept_url(config: Config, say: Callable[[str], None]) -> str:
    """The address of the Redis of the folder `redis.keep`; "" if that holds nothing."""
    folder = Path(config.redis.keep).absolute()
    if not config.redis.keep or not folder.is_dir():
        return ""
    kept = _held.get(folder) or KeptRedis(folder)
    try:
        if not kept.find():
            return ""
    except OSError as error:
        say(f"the lists kept in {folder} cannot be used: {error.strerror}.")
        return ""
    except Unreadable as error:
        raise ServiceError(
            f"{_unreadable(kept, error)} Remove it: the next `millirec run` writes a new one."
        ) from error
    if folder not in _held:
        _held[folder] = kept
        if not kept.running():
            age = _age(kept, config)
            say(f"from {config.redis.keep}: the lists of a run that has ended, {age}")
    return kept.url


def _age(kept: KeptRedis, config: Config) -> str:
    """How long ago the job wrote its statistics, else the file."""
    at_ms: Any = None
    with (
        contextlib.closing(redis.Redis.from_url(kept.url)) as client,
        contextlib.suppress(*FAILURES),
    ):
        at_ms = client.hget(f"{config.redis.prefix}{STATS}", "at")
    written = int(at_ms) / 1000 if at_ms and at_ms.isdigit() else kept.dump.stat().st_mtime
    return f"{clock(max(0.0, time.time() - written))} ago"
