"""The commands about data: check recorded events, replay them, bring those of another system,
fetch a data set, describe items, report a run.

In: arguments. Out: exit codes. Each command imports what does its work.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError

Preset = Annotated[str, Parameter(help="The format of the events, by its name: source.preset.")]


@app.command
def validate(
    *files: Annotated[Path, Parameter(help="Files or folders of events, compressed or not.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
    preset: Preset = "",
    json: Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON.")] = False,
) -> int:
    """Check recorded events before the job runs: PASS, WARN or FAIL, with advice.

    Lines are read as the job reads them, but without Flink. The exit code is 1 if a check FAILs.

    Examples:
        millirec validate events.jsonl
        millirec validate u.data --preset movielens
    """
    from flink_app.data.validate import validate as check

    loaded = load(config, [*_preset(preset), *settings]).config
    if not files and not loaded.source.paths and not loaded.items.paths:
        raise ConfigError("millirec validate needs a file of events")
    return check(loaded, files, json)


@app.command
def replay(
    *files: Annotated[Path, Parameter(help="Files or folders of events with times, in any order.")],
    to: Annotated[
        str,
        Parameter(
            help="kafka://host:port/topic, or a folder to put files into. By default where the "
            "configured job reads from Kafka or a directory, otherwise inbox/."
        ),
    ] = "",
    speed: Annotated[float, Parameter(help="How many times faster than recorded.")] = 1.0,
    keep_times: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Keep the times and ids of events; by default they get the time of writing.",
        ),
    ] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    preset: Preset = "",
) -> int:
    """Write recorded events as if they happened now, with the same pauses between them.

    Events are sorted by time in memory and written as JSON in millirec's own format. Ctrl-C stops.

    Examples:
        millirec replay events.jsonl --speed 100
        millirec replay u.data --preset movielens --speed 100000 --to kafka://127.0.0.1:9092/events
    """
    from flink_app.data.replay import replay as play

    if not files:
        raise ConfigError("millirec replay needs a file of events")
    return play(load(config, [*_preset(preset), *settings]).config, files, to, speed, keep_times)


@app.command(name="import")
def bring(
    system: Annotated[Literal["gorse", "metarank"], Parameter(help="What exported the files.")],
    *files: Annotated[
        Path,
        Parameter(
            help="Gorse: exports of the dashboard (users, items, feedback), or the file of "
            "`gorse-cli dump`. Metarank: events, as `metarank import` reads them."
        ),
    ],
    to: Annotated[
        str, Parameter(help="A file, a folder (its name ends in /), or kafka://host:port/topic.")
    ] = "imported.jsonl",
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Write what another recommender exported as lines that the job reads.

    Profiles and items come first, then the events by time. The exit code is 1 if something is left
    out, or there is nothing.

    Examples:
        millirec import gorse users.jsonl items.jsonl feedback.jsonl
        millirec import gorse backup.bin --set events.weights.share=1.5
        millirec import metarank events.jsonl.gz --to kafka://127.0.0.1:9092/events
    """
    from flink_app.data.imports import bring as write

    if not files:
        raise ConfigError(f"millirec import {system} needs a file that {system} has exported")
    return write(load(config, settings).config, system, files, to)


@app.command
def lines(
    *files: Annotated[Path, Parameter(help="Files or folders of events, compressed or not.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print files as the plain lines that the job reads: unpacked, in UTF-8, an object each.

    Examples:
        millirec lines events.json.xz > events.jsonl
        millirec lines --set source.encoding=cp1252 old.csv > new.csv
    """
    from flink_app.data.recorded import print_lines

    if not files:
        raise ConfigError("millirec lines needs a file of events")
    print_lines(files, load(config, settings).config.source.encoding)


@app.command
def fetch(
    name: Annotated[
        Literal["ml-100k", "ml-1m", "ml-10m", "ml-20m", "ml-25m", "minilm", "efficientnet-lite0"],
        Parameter(help="The data set, or the network."),
    ],
    *,
    out: Annotated[
        Path | None,
        Parameter(name="--out", help="The folder to put it into; by default data/NAME."),
    ] = None,
) -> None:
    """Download a public data set from its owner, check it, and show its terms of use.

    Or a network for the options text.model (minilm) and images.model (efficientnet-lite0).

    Examples:
        millirec fetch ml-100k
        millirec fetch minilm
    """
    from flink_app.data.fetch import fetch as get
    from flink_app.data.fetch import fetch_network
    from flink_app.data.fetch.datasets import DATA_SETS

    if name in DATA_SETS:
        get(DATA_SETS[name], out)
    else:
        fetch_network(name, out)


@app.command
def items(
    *files: Annotated[
        Path,
        Parameter(help="JSON, CSV with a header, or MovieLens's u.item, movies.dat or movies.csv."),
    ],
    item: Annotated[
        str, Parameter(help="The name of the field with the item's id, in JSON and CSV.")
    ] = "item",
    preset: Annotated[
        str, Parameter(help="How the files are written, such as shopify-csv: items.preset.")
    ] = "",
    to: Annotated[
        str,
        Parameter(
            help="kafka://host:port/topic, a folder or a file. By default where the configured job "
            "reads items, else events."
        ),
    ] = "",
    encode: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Make vectors of texts and images here, with text.model and images.model, and "
            "send them along, so that the job need not.",
        ),
    ] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Send titles, categories, prices and any other data of items into the running job.

    A line for each item goes into the topic or folder that the job reads. The exit code is 1 if a
    line is left out, or there are no items.

    Examples:
        millirec items items.csv --config shop.toml
        millirec items data/ml-100k/u.item --to inbox/
        millirec items products_export.csv --preset shopify-csv --to kafka://127.0.0.1:9092/events
        millirec items items.csv --encode --set text.model=minilm --to with-vectors.jsonl
    """
    from flink_app.data.items import items as send

    if not files:
        raise ConfigError("millirec items needs a file of items")
    return send(load(config, settings).config, files, item, preset, to, encode)


@app.command
def report(
    *files: Annotated[
        Path, Parameter(help="Files from `millirec evaluate --out`; without any, the job in Redis.")
    ],
    out: Annotated[Path, Parameter(name="--out", help="The HTML file to write.")] = Path(
        "report.html"
    ),
    watch: Annotated[
        float,
        Parameter(help="Watch a running job for this many seconds, to plot figures over time."),
    ] = 0.0,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Write an HTML page about a run: quality, freshness, coverage and popularity bias, with plots.

    It is a single file that loads nothing else. Needs matplotlib and jinja2: millirec's extra plot.

    Examples:
        millirec report --watch 60
        millirec report evaluation.json --out report.html
    """
    from flink_app.local.own_redis import with_own_redis
    from flink_app.report.builder import report as make

    loaded = load(config, settings)
    make(loaded if files else with_own_redis(loaded), files, out, watch)


def _preset(name: str) -> list[str]:
    return [f"source.preset={name}"] if name else []
