"""`millirec get` and `millirec similar`: a list in Redis, as it is there or as a table.

In: a Redis client, the prefix of the keys, and a user's or an item's id. Out: the list's JSON
(`bytes`, exactly what a front end gets), or a `rich` table of it.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import redis
from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from flink_app.config import Loaded
from flink_app.config.pseudonyms import stored_user
from flink_app.connections.redis_access import find_redis
from flink_app.connections.redis_start import began_ms
from flink_app.console.failures import FAILED, FINISHED
from flink_app.console.live import clock
from flink_app.console.terminal import printable
from flink_app.lookup.reasons import (
    Said,
    language_of,
    languages,
    named_in,
    read_items_said,
    sentence,
    worded,
)
from flink_app.lookup.words import DEFAULT
from udfs.errors import ConfigError, ServiceError
from udfs.lists import contract
from udfs.lists.contract import Entry, RecommendationList
from udfs.lists.keys import ITEM, METADATA, POPULAR, TRENDING, USER, escaped, split
from udfs.rules.errors import ExpressionError
from udfs.stores.redis_refusals import told


def read(client: redis.Redis, key: str) -> bytes | None:
    """The value under a key; None if there is none."""
    value: Any = client.get(key)
    return value if isinstance(value, bytes) else None


def said_of(client: redis.Redis, prefix: str, items: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What is said of those items that have metadata, under `item:<item>`."""
    if not items:
        return {}
    # Not MGET: in a Redis Cluster the keys are on several nodes.
    pipeline: Any = client.pipeline(transaction=False)
    for item in items:
        pipeline.get(f"{prefix}{METADATA}{item}")
    try:
        values = pipeline.execute()
    except redis.exceptions.NoPermissionError:
        return {}  # a reader of lists may not be allowed to see what the shop has written
    return read_items_said(dict(zip(items, values, strict=True)))


def titles(client: redis.Redis, prefix: str, items: Sequence[str]) -> dict[str, str]:
    """The titles of those items that have metadata with one, under `item:<item>`."""
    return Said(items=said_of(client, prefix, items)).titles


def said_in(client: redis.Redis, prefix: str, value: bytes, language: str = DEFAULT) -> Said:
    """What is said of the items of a list, and of those that its reasons name."""
    entries = contract.read_items(value).items
    items = dict.fromkeys([*(entry.item for entry in entries), *named_in(entries)])
    return Said(language, said_of(client, prefix, [*items]))


def table(
    found: RecommendationList, key: str, said: Said, now_ms: int, length: int = 0
) -> RenderableType:
    """A list for people.

    Args:
        said: of the items. now_ms: the clock, for the list's age. length: items shown; 0: all.
    """
    names = said.titles
    age = clock(max(0, now_ms - found.at) / 1000)
    shown = Table(box=box.SIMPLE_HEAD)
    shown.add_column("", justify="right", style="dim")
    shown.add_column("item")
    if names:
        shown.add_column("title")
    shown.add_column("score", justify="right")
    shown.add_column("why", style="dim")
    for place, entry in enumerate(found.items[: length or None], start=1):
        cells: list[str | Text] = [str(place), Text(printable(entry.item))]
        if names:
            cells.append(Text(printable(names.get(entry.item, ""))))
        shown.add_row(*cells, f"{entry.score:.3f}", Text(printable(reason(entry, said))))
    # Not the table's own caption, which would be as narrow as the table.
    body = shown if found.items else Text("\n  an empty list\n", style="dim")
    origin = printable(f"source {found.source}, {age} old, id {found.id}")
    return Group(Text(printable(key)), body, Text(origin))


def list_name(user: str, trending: bool) -> str:
    """What `show` calls the list of `user`, or without one what is trending or popular.

    Raises:
        ConfigError: both were requested.

    >>> list_name("alice", False), list_name("", True), list_name("", False)
    ('rec:alice', 'trending', 'popular')
    """
    if user and trending:
        raise ConfigError(
            f"{user} and --trending: the trending list is the same for everybody. Leave one out."
        )
    return USER.of(user) if user else TRENDING.of() if trending else POPULAR.of()


def show(name: str, loaded: Loaded, as_json: bool, where: str = "", language: str = "") -> int:
    """Print the list called `name` (`rec:alice`, `similar:1580`, `trending`); the exit code.

    Args:
        where: a condition on the items, see `filtered`; "": all of them.
        language: in which the reasons are said, in JSON too; "": in a table, in English.

    Raises:
        ServiceError: no Redis answers. ConfigError: it is no condition, or no language.
    """
    spoken = required(language)
    client, address = find_redis(loaded)
    prefix = loaded.config.redis.prefix
    name = _stored(name, loaded)
    key = prefix + name
    with told(address):
        value = _filtered(client, loaded, name, where) if where else read(client, key)
    if value is None:
        print(printable(absent(name, key, address)), file=sys.stderr)
        return FAILED
    _warn_of_earlier(value, began_ms(client, prefix))
    out = Console()
    as_json = as_json or not out.is_terminal
    if as_json and not language:
        sys.stdout.buffer.write(value + b"\n")
        return FINISHED
    try:
        found, entries = contract.read(value), contract.read_items(value)
    except msgspec.DecodeError as error:
        raise ServiceError(
            f"{printable(key)} in Redis at {address} is not a list of millirec: {error}. "
            "Show it with --json."
        ) from error
    with told(address):
        said = said_in(client, prefix, value, spoken)
    if as_json:
        worded(entries.items, said)
        sys.stdout.buffer.write(msgspec.json.encode(entries) + b"\n")
    else:
        out.print(table(found, key, said, now_ms()))
    return FINISHED


def required(language: str) -> str:
    """The language that is asked for, English if none is.

    Raises:
        ConfigError: there is no such language.
    """
    found = language_of(language) if language else DEFAULT
    if found is None:
        raise ConfigError(f"there are no words in the language {language!r}: choose {languages()}")
    return found


def _filtered(client: redis.Redis, loaded: Loaded, name: str, where: str) -> bytes | None:
    from flink_app.lookup.filtered import filtered  # what compiles conditions takes its time

    config = loaded.config
    try:
        return filtered(client, config.redis.prefix, name, where, config.lists.length)
    except ExpressionError as error:
        raise ConfigError(f"--filter cannot be used: {error}") from error
    except msgspec.DecodeError as error:
        raise ServiceError(f"Redis holds something that is not a list of millirec: {error}.") from (
            error
        )


def _stored(name: str, loaded: Loaded) -> str:
    """The name of a list as it is in Redis, by `events.ids` and `privacy.pseudonyms`."""
    kind, who = split(name)
    if kind == USER.key:
        return USER.of(stored_user(loaded.config)(who))
    if not who or loaded.config.events.ids == "text":
        return name
    from udfs.events.whole_ids import stored  # it needs NumPy, which takes longer than the rest

    return kind + stored(loaded.config.events.ids)(who)


def _warn_of_earlier(value: bytes, began: int) -> None:
    """Say so if a list is older than the job that writes to Redis now."""
    with contextlib.suppress(msgspec.MsgspecError):
        at = contract.read(value).at
        if at < began:
            print(
                f"an earlier job made this list, {clock((began - at) / 1000)} before the present "
                "job began without state.",
                file=sys.stderr,
            )


def absent(name: str, key: str, address: str) -> str:
    """The message for a list that does not exist."""
    kind, who = split(name)
    if kind == USER.key:
        return (
            f"there is no list for the user {who!r} ({key} in Redis at {address}): the user is "
            "new, or the list has expired. Show such users the popular list: millirec get"
        )
    if kind == ITEM.key:
        return (
            f"there is no list of items similar to {who!r} ({key} in Redis at {address}): the item "
            "is new, or its list is not due yet (lists.similar_every_s). With privacy.epsilon, no "
            "item has one."
        )
    return f"there is no {key} in Redis at {address}: no job has written to it yet."


def sample(client: redis.Redis, prefix: str) -> str | None:
    """The id of some user who has a list; None if nobody has."""
    for key in client.scan_iter(f"{escaped(prefix)}{USER.key}*", count=1000):
        name = key.decode(errors="replace")
        return str(name.removeprefix(prefix + USER.key))
    return None


def now_ms() -> int:
    """The wall clock, ms since 1970."""
    return time.time_ns() // 1_000_000


def reason(entry: Entry, said: Said) -> str:
    """The model of an entry and its reason in words; "" if the list gives none.

    >>> reason(Entry("pot", 1.0, {"model": "item-cf", "because": ["kettle"]}), Said())
    'item-cf: because you looked at kettle'
    """
    why = entry.why
    return f"{why['model']}: {sentence(entry.item, why, said)}" if "model" in why else ""
