"""What all commands share: the application that they belong to, and options with one meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from flink_app import __version__
from flink_app.console.failures import EXIT_CODES

app = App(
    name="millirec",
    version=__version__,
    help="Real-time recommendations that follow a user's last click within milliseconds.\n\n"
    f"{EXIT_CODES}",
    # A file may be called [x].
    default_parameter=Parameter(json_list=False, json_dict=False),
)

ConfigFile = Annotated[
    Path | None,
    Parameter(name="--config", help="A TOML file; `millirec config --toml` prints one."),
]
Settings = Annotated[
    list[str],
    Parameter(
        name="--set",
        negative=(),
        help="section.option=value, stronger than the file and the environment. Repeatable.",
    ),
]
Json = Annotated[
    bool,
    Parameter(
        name="--json", negative=(), help="Print the value as it is in Redis, even in a terminal."
    ),
]
