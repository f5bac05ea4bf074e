"""The commands around the job: run, evaluate, demo, simulate, graph, package."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load
from flink_app.config.values import toml as toml_text
from udfs.errors import ConfigError
from udfs.options.learning import Served


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
    from flink_app.local.run import run as run_job

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
        list[Served],
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
    from flink_app.simulator.simulation import simulate as write

    write(target, events, seconds, rate, seed=seed, users=users, items=items)


@app.command
def graph(
    *,
    mermaid: Annotated[bool, Parameter(negative=(), help="As a Mermaid flowchart.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print the job's operators as Flink would run them, without running them."""
    from flink_app.local.plan import as_mermaid, as_text, plan

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
