"""The commands about data: check recorded events, replay them, fetch a data set, report a run.

In: arguments. Out: exit codes. As in `flink_app.cli`, whose `app` they belong to, each command
imports what does its work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flink_app.cli import ConfigFile, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError

Preset = Annotated[str, Parameter(help="Whose field names events use: source.preset.")]


@app.command
def validate(
    *files: Annotated[Path, Parameter(help="Files or folders of events, .gz too.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
    preset: Preset = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), help="As JSON.")] = False,
) -> int:
    """Check recorded events before the job runs: PASS, WARN or FAIL, and what to do.

    Lines are read as the job reads them, without Flink. The exit code is 1 if a check FAILs.

    Examples:
        millirec validate events.jsonl
        millirec validate u.data --preset movielens
    """
    from flink_app.validate import validate as check

    loaded = load(config, [*_preset(preset), *settings]).config
    if not files and not loaded.source.paths:
        raise ConfigError("millirec validate needs a file of events")
    return check(loaded, files, json)


def _preset(name: str) -> list[str]:
    return [f"source.preset={name}"] if name else []
