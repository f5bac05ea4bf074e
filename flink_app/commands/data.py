"""The commands about data: check recorded events, replay them, fetch a data set, say
what items are, report a run.

In: arguments. Out: exit codes. Each command imports what does its work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
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
    from flink_app.data.validate import validate as check

    loaded = load(config, [*_preset(preset), *settings]).config
    if not files and not loaded.source.paths:
        raise ConfigError("millirec validate needs a file of events")
    return check(loaded, files, json)


@app.command
def replay(
    *files: Annotated[Path, Parameter(help="Files or folders of events, with times; any order.")],
    to: Annotated[
        str,
        Parameter(
            help="kafka://host:port/topic, or a folder that files are put into. By default where "
            "the configuration's job reads, else inbox/."
        ),
    ] = "",
    speed: Annotated[float, Parameter(help="How many times as fast as recorded.")] = 1.0,
    keep_times: Annotated[
        bool,
        Parameter(
            negative=(), help="Events keep their times and ids; else they happen when written."
        ),
    ] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    preset: Preset = "",
) -> int:
    """Write recorded events as if they happened now, with the pauses between them.

    They are ordered by time in memory and written as millirec's own JSON. Ctrl-C ends it.

    Examples:
        millirec replay events.jsonl --speed 100
        millirec replay u.data --preset movielens --speed 100000 --to kafka://127.0.0.1:9092/events
    """
    from flink_app.data.replay import replay as play

    if not files:
        raise ConfigError("millirec replay needs a file of events")
    return play(load(config, [*_preset(preset), *settings]).config, files, to, speed, keep_times)


@app.command
def fetch(
    name: Annotated[
        Literal["ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m"], Parameter(help="The data set.")
    ],
    *,
    out: Annotated[
        Path | None, Parameter(name="--out", help="A folder; by default data/NAME.")
    ] = None,
) -> None:
    """Fetch a public data set from its owner's address, check it, and show its terms.

    Examples:
        millirec fetch ml-100k
    """
    from flink_app.data.fetch import fetch as get
    from flink_app.data.fetch.datasets import DATA_SETS

    get(DATA_SETS[name], out)


@app.command
def items(
    *files: Annotated[
        Path,
        Parameter(
            help="JSON lines, CSV with a header, or MovieLens' u.item, movies.dat, movies.csv."
        ),
    ],
    item: Annotated[str, Parameter(help="The name of the id in JSON and CSV.")] = "item",
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Write titles, categories and whatever else is said of items into Redis.

    Lookups and the live page show `title` and `category`. The exit code is 1 if a line is left out.

    Examples:
        millirec items items.csv
        millirec items data/ml-100k/u.item
    """
    from flink_app.data.items import items as write

    if not files:
        raise ConfigError("millirec items needs a file of items")
    return write(load(config, settings), files, item)


@app.command
def report(
    *files: Annotated[
        Path, Parameter(help="What `millirec evaluate --out` has written; none: the job in Redis.")
    ],
    out: Annotated[Path, Parameter(name="--out", help="The page.")] = Path("report.html"),
    watch: Annotated[
        float, Parameter(help="Look at a running job for so many seconds, for lines over time.")
    ] = 0.0,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Make a page of HTML of a run: quality, freshness, coverage, popularity bias, with plots.

    One file that loads nothing. Needs matplotlib and jinja2, millirec's extra plot.

    Examples:
        millirec report --watch 60
        millirec report evaluation.json --out report.html
    """
    from flink_app.report import report as make

    make(load(config, settings), files, out, watch)


def _preset(name: str) -> list[str]:
    return [f"source.preset={name}"] if name else []
