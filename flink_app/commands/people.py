"""The commands about people: forget them, show what is known of them, and why they get what.

In: arguments. Out: exit codes. Each command imports what does its work.
"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Json, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError


@app.command
def forget(
    *users: Annotated[str, Parameter(help="Users' ids.")],
    wait: Annotated[
        bool,
        Parameter(
            name="--wait",
            negative="--no-wait",
            help="Wait until the job has done it, and print its receipts.",
        ),
    ] = True,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
) -> int:
    """Have the running job forget users: their history, lists, and all else that is known.

    A line for each user goes into the topic or folder that the job reads. The exit code is 1 if
    there is no receipt after ten seconds.

    Examples:
        millirec forget alice --config shop.toml
    """
    from flink_app.data.rights import forget as ask
    from flink_app.local.own_redis import with_own_redis

    if not users:
        raise ConfigError("millirec forget needs the id of a user")
    return ask(with_own_redis(load(config, settings)), users, wait)


@app.command
def export(
    user: Annotated[str, Parameter(help="A user's id.")],
    *,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Print all that the running job knows of a user, as JSON.

    The job answers a line in the topic or folder that it reads; its answer stays in Redis for
    privacy.export_s. The exit code is 1 if there is none after ten seconds.

    Examples:
        millirec export alice --config shop.toml > alice.json
    """
    from flink_app.data.rights import export as ask
    from flink_app.local.own_redis import with_own_redis

    return ask(with_own_redis(load(config, settings)), user)


@app.command
def why(
    user: Annotated[str, Parameter(help="A user's id.")],
    item: Annotated[str, Parameter(help="An item's id.")],
    *,
    words: Annotated[str, Parameter(help="The language of the sentences: en, zh, de.")] = "",
    json: Json = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Tell why an item is in a user's list, or is not: features, steps, past events.

    The running job answers a line in the topic or folder that it reads, and nothing is changed by
    it. The exit code is 1 if there is no answer after ten seconds.

    Examples:
        millirec why alice kettle --config shop.toml
    """
    from flink_app.data.questions import why as ask
    from flink_app.local.own_redis import with_own_redis

    return ask(with_own_redis(load(config, settings)), user, item, words, json)
