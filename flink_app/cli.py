"""The command line `millirec`: what each command is called and takes; the work is done elsewhere.

In: arguments and the environment. Out: text, and an exit code (see `flink_app.failures`). Modules
are imported by the command that needs them, so that a lookup answers at once.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, CycloptsError, Parameter

from flink_app import __version__
from flink_app.config import load
from flink_app.config.load import DEFAULT
from flink_app.config.values import toml as toml_text
from flink_app.failures import EXIT_CODES, FAILED, FINISHED, STOPPED, USAGE, exit_code
from udfs.errors import ConfigError, MillirecError

app = App(
    name="millirec",
    version=__version__,
    help="Real-time recommendations that follow a user's last click within milliseconds.\n\n"
    f"{EXIT_CODES}",
)

ConfigFile = Annotated[
    Path | None, Parameter(name="--config", help="A TOML file; `millirec config --toml` makes one.")
]
Settings = Annotated[
    list[str],
    Parameter(
        name="--set",
        negative=(),
        help="section.option=value, over file and environment; as often as needed.",
    ),
]
Json = Annotated[
    bool,
    Parameter(name="--json", negative=(), help="The value as Redis holds it, in a terminal too."),
]


@app.command
def run(
    *files: Annotated[Path, Parameter(help="Files or folders to read: sets source.paths.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
    preset: Annotated[str, Parameter(help="Whose field names events use: source.preset.")] = "",
    restore: Annotated[
        str, Parameter(help="A checkpoint's path to go on from, or latest: state.restore.")
    ] = "",
    debug: Annotated[bool, Parameter(negative=(), help="Show the traceback of a failure.")] = False,
) -> int:
    """Run the job on this machine until its input ends or Ctrl-C.

    Without a Redis (REDIS_URL or redis.url) one is started for as long as the run lasts.

    Examples:
        millirec run events.jsonl
        millirec run ratings.csv --preset movielens-csv --set lists.length=50
        millirec run --set source.kind=directory --set source.paths=inbox
    """
    from flink_app.run import run as run_job

    given = []
    if files:
        given.append(f"source.paths={toml_text([str(file) for file in files])}")
        if load(config, settings).config.source.kind not in ("files", "directory"):
            given.append("source.kind=files")
    if preset:
        given.append(f"source.preset={preset}")
    if restore:
        given.append(f"state.restore={restore}")
    return run_job(load(config, [*given, *settings]), debug)


@app.command
def evaluate(
    *files: Annotated[Path, Parameter(help="Files of events, with times; any order.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    preset: Annotated[str, Parameter(help="Whose field names events use: source.preset.")] = "",
    mode: Annotated[
        list[Literal["strict", "parallel"]],
        Parameter(
            negative=(),
            help="strict: one shard, event by event. parallel: shards and parallelism as set, at "
            "full speed. Both if given twice.",
        ),
    ] = ["strict"],  # noqa: B006
    model: Annotated[
        list[Literal["ranker", "item-cf", "user-cf", "mf", "popular"]],
        Parameter(
            negative=(),
            help="Whose lists are tested, in one run; as often as needed. By default those of "
            "lists.model.",
        ),
    ] = [],  # noqa: B006
    positive: Annotated[
        str, Parameter(help="What counts, such as 'rating>=4.5'; the rest is left out.")
    ] = "",
    seeds: Annotated[int, Parameter(help="Runs with seeds one after the other.")] = 1,
    baseline: Annotated[
        list[
            Literal["popular", "isgd", "raisgd", "biased-mf", "item-knn", "user-knn", "als", "all"]
        ],
        Parameter(
            negative=(),
            help="A published rule to measure beside the job, over the same events; as often as "
            "needed. biased-mf also learns from the ratings that --positive leaves out.",
        ),
    ] = [],  # noqa: B006
    warmup: Annotated[
        int | Literal["half"],
        Parameter(help="So many events are learned before the first test; half of them all."),
    ] = 0,
    split: Annotated[
        Literal["half"] | None,
        Parameter(help="The same as --warmup half: choose settings on the other half."),
    ] = None,
    repeat: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Lists hold what a user had before, and events on such items are tests.",
        ),
    ] = False,
    out: Annotated[Path | None, Parameter(name="--out", help="A JSON file of all figures.")] = None,
    plot: Annotated[
        Path | None,
        Parameter(help="A picture of recall@10 over the events, .svg or .png; needs matplotlib."),
    ] = None,
) -> None:
    """Measure the lists' quality on recorded events: test each one, then learn from it.

    Runs the job itself on this machine, events in order of time, with a Redis of its own. Baselines
    run beside it, one event after the other, with the settings in docs/models.md.

    Examples:
        millirec evaluate ratings.csv --preset movielens-csv --positive 'rating>=4.5'
        millirec evaluate events.jsonl --mode strict --mode parallel --seeds 5 --out report.json
        millirec evaluate events.jsonl --baseline popular --plot quality.svg
        millirec evaluate events.jsonl --model ranker --model item-cf --model mf
        millirec evaluate events.jsonl --baseline popular --baseline item-knn --warmup half
    """
    from flink_app.evaluate import evaluate as measure

    if not files:
        raise ConfigError("millirec evaluate needs a file of events")
    if seeds < 1:
        raise ConfigError(f"--seeds is {seeds}, it must be at least 1")
    if warmup != "half" and warmup < 0:
        raise ConfigError(f"--warmup is {warmup}, it must be at least 0, or half")
    given = [f"source.preset={preset}"] if preset else []
    measure(
        load(config, [*given, *settings]).config, files, mode, seeds, positive, out,
        baseline, split or warmup, model, repeat, plot,
    )  # fmt: skip


@app.command
def demo() -> None:
    """Watch lists follow clicks in a simulated shop, with nothing else installed.

    On the live page, http://127.0.0.1:8080 or the next free port, and in the terminal.
    DEMO_SECONDS=60 ends it after a minute; otherwise Ctrl-C does. DEMO_BROWSER=0 opens no browser.
    """
    from flink_app.demo import demo as show

    show()


@app.command
def simulate(
    target: Annotated[
        str,
        Parameter(
            help="A file that is written (events.jsonl), a folder that files are put into (it "
            "exists, or its name ends in /), or kafka://host:port/topic."
        ),
    ],
    *,
    events: Annotated[int | None, Parameter(help="How many; 100,000 if nothing ends it.")] = None,
    seconds: Annotated[float | None, Parameter(help="For how long, by the clock.")] = None,
    rate: Annotated[
        float | None, Parameter(help="Events per second; as fast as possible without.")
    ] = None,
    seed: Annotated[int, Parameter(help="Which of all such shops it is.")] = 1,
    users: Annotated[int, Parameter(help="Users at the start.")] = 1000,
    items: Annotated[int, Parameter(help="Items at the start.")] = 2000,
) -> None:
    """Write the events of a simulated shop to a file, a folder or Kafka.

    Examples:
        millirec simulate events.jsonl --events 1000000
        millirec simulate inbox/ --rate 200 --seconds 60
        millirec simulate kafka://127.0.0.1:9092/events --rate 1000
    """
    from flink_app.simulate import simulate as write

    write(target, events, seconds, rate, seed=seed, users=users, items=items)


@app.command
def get(
    user: Annotated[str, Parameter(help="A user's id; without one: what is popular.")] = "",
    *,
    trending: Annotated[bool, Parameter(negative=(), help="What is trending instead.")] = False,
    json: Json = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show a user's list as it is in Redis now: a table in a terminal, else the JSON itself."""
    from flink_app.lookup import list_name, show

    return show(list_name(user, trending), load(config, settings), json)


@app.command
def similar(
    item: Annotated[str, Parameter(help="An item's id.")],
    *,
    json: Json = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show the items most like one, as they are in Redis now."""
    from flink_app.lookup import show

    return show(f"similar:{item}", load(config, settings), json)


@app.command
def redis_usage(
    *,
    json: Annotated[bool, Parameter(name="--json", negative=(), help="As JSON.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> int:
    """Show how much of Redis's memory lists, the item feed and the rest take."""
    from flink_app.redis_usage import show

    return show(load(config, settings), json)


@app.command(name="config")
def show_config(
    *,
    toml: Annotated[
        bool, Parameter(name="--toml", negative=(), help="A commented file of all options instead.")
    ] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print every option's value in force and where it comes from; secrets are masked."""
    from flink_app.config.render import commented_toml, effective

    if toml:
        print(commented_toml(), end="")
        return
    rows = effective(load(config, settings))
    width = min(40, max(len(name) for name, _, _ in rows))
    for name, value, origin in rows:
        print(f"{name:{width}} = {value}" + ("" if origin == DEFAULT else f"   # {origin}"))


@app.command
def graph(
    *,
    mermaid: Annotated[bool, Parameter(negative=(), help="As a Mermaid flowchart.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print the job's operators as Flink would run them, without running them."""
    from flink_app.graph import as_mermaid, as_text, plan

    steps = plan(load(config, settings).config)
    print(as_mermaid(steps) if mermaid else as_text(steps))


@app.command
def package(
    *,
    out: Annotated[Path, Parameter(name="--out", help="The archive.")] = Path("millirec-job.zip"),
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Make the archive that `flink run` takes: code, configuration, instructions; no secrets."""
    from flink_app.package import write

    for line in write(out, load(config, settings)):
        print(line)


from flink_app.commands import serving as _serving  # noqa: E402, F401  (registers on `app`)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; mistakes are sentences on standard error."""
    sys.exit(_code(arguments))


def _code(arguments: list[str] | None) -> int:
    try:
        result = app(arguments, exit_on_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError:
        return USAGE  # cyclopts has said what is wrong
    except MillirecError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return STOPPED
    except BrokenPipeError:  # `millirec config | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return result if isinstance(result, int) else FINISHED
