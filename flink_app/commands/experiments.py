"""The commands about experiments of the running job: start one, see how it goes, end it.

In: arguments. Out: exit codes. Each command imports what does its work.
"""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import App, Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load

experiment = App(name="experiment", help="Start, see and end experiments of the running job.")
app.command(experiment)

Wait = Annotated[
    bool,
    Parameter(name="--wait", negative="--no-wait", help="Wait until the job has done it."),
]


@experiment.command
def start(
    name: Annotated[
        str, Parameter(help="Its name, or a TOML file with [[experiments]], which all start.")
    ],
    *,
    variant: Annotated[
        list[str],
        Parameter(
            name="--variant",
            negative=(),
            help="'name: option=value, option=value', or only a name for what is served now. The "
            "others are compared with the first.",
        ),
    ] = [],  # noqa: B006  (cyclopts makes a new list)
    share: Annotated[
        float | None, Parameter(help="Which share of all users is in it; all, by default.")
    ] = None,
    goal: Annotated[
        Literal["clicks_per_view", "clicks", "conversions", "value"] | None,
        Parameter(help="By which outcome it is decided; clicks_per_view, by default."),
    ] = None,
    interleave: Annotated[
        bool,
        Parameter(negative=(), help="Whether each list has the items of two variants in turn."),
    ] = False,
    wait: Wait = True,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Have the running job start an experiment, without a restart.

    A line goes into the topic or folder that the job reads. The exit code is 1 if the job does not
    tell of it within ten seconds, or lets it wait for others.

    Examples:
        millirec experiment start diverse --share .2 --variant now
        --variant 'diverse: rerank.diversity=0.5' --config shop.toml
    """
    from flink_app.data.experiments import of_arguments
    from flink_app.data.experiments import start as ask
    from flink_app.local.own_redis import with_own_redis

    options = ("share", share), ("goal", goal), ("interleave", interleave or None)
    given = {key: value for key, value in options if value is not None}
    experiments = of_arguments(name, variant, given)
    return ask(with_own_redis(load(config, settings)), experiments, wait)


@experiment.command
def report(
    name: Annotated[str, Parameter(help="Of one experiment; all, by default.")] = "",
    *,
    json: Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show what each variant did, and how much better it is, as far as that is known.

    Also of experiments of the configuration, and of those that have ended.

    Examples:
        millirec experiment report diverse
    """
    from flink_app.local.own_redis import with_own_redis
    from flink_app.lookup.experiments import report as show

    return show(with_own_redis(load(config, settings)), name, json)


@experiment.command
def end(
    name: Annotated[str, Parameter(help="Of the experiment.")],
    *,
    wait: Wait = True,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Have the running job end an experiment: all users get their lists as without it.

    Its numbers stay, and report tells them. One of the configuration stays ended after a restart.

    Examples:
        millirec experiment end diverse --config shop.toml
    """
    from flink_app.data.experiments import end as ask
    from flink_app.local.own_redis import with_own_redis

    return ask(with_own_redis(load(config, settings)), name, wait)
