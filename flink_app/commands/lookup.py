"""The commands that look something up: lists, what Redis holds, the configuration."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Json, Settings, app
from flink_app.config import load
from flink_app.config.load import DEFAULT

Where = Annotated[
    str,
    Parameter(
        name="--filter",
        help="A condition on items: 'category == \"books\" && price < 20'. A user's list then goes "
        "on with what else is kept for the user, and with what is popular.",
    ),
]

Words = Annotated[
    str,
    Parameter(help="Say why each item is there in this language, in JSON as why.text: en, zh, de."),
]


@app.command
def get(
    user: Annotated[
        str, Parameter(help="A user's id; without one, the popular list is shown.")
    ] = "",
    *,
    trending: Annotated[bool, Parameter(negative=(), help="Show the trending list.")] = False,
    where: Where = "",
    words: Words = "",
    json: Json = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show a user's list as it is in Redis: as a table in a terminal, otherwise as JSON.

    With --filter, only the items that meet a condition, and none that may not be shown now.
    """
    from flink_app.local.own_redis import with_own_redis
    from flink_app.lookup.lists import list_name, show

    loaded = with_own_redis(load(config, settings))
    return show(list_name(user, trending), loaded, json, where, words)


@app.command
def similar(
    item: Annotated[str, Parameter(help="An item's id.")],
    *,
    where: Where = "",
    words: Words = "",
    json: Json = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show the items similar to an item, as they are in Redis."""
    from flink_app.local.own_redis import with_own_redis
    from flink_app.lookup.lists import show

    return show(f"similar:{item}", with_own_redis(load(config, settings)), json, where, words)


@app.command
def redis_usage(
    *,
    json: Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show how much of Redis's memory the lists, the item feed and the rest take."""
    from flink_app.local.own_redis import with_own_redis
    from flink_app.lookup.usage import show

    return show(with_own_redis(load(config, settings)), json)


@app.command(name="config")
def show_config(
    *,
    toml: Annotated[
        bool, Parameter(name="--toml", negative=(), help="Print a commented file of all options.")
    ] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print the value in force of every option, and where it comes from; secrets are masked."""
    from flink_app.config.render import commented_toml, effective

    if toml:
        print(commented_toml(), end="")
        return
    rows = effective(load(config, settings))
    width = min(40, max(len(name) for name, _, _ in rows))
    for name, value, origin in rows:
        print(f"{name:{width}} = {value}" + ("" if origin == DEFAULT else f"   # {origin}"))
