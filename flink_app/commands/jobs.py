"""The commands around the job: run, evaluate, graph, package."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flink_app.commands.app import ConfigFile, Settings, app
from flink_app.config import load
from udfs.errors import ConfigError
from udfs.options.learning import Served


@app.command
def run(
    *files: Annotated[Path, Parameter(help="Files or folders to read: sets source.paths.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006  (cyclopts makes a new list)
    preset: Annotated[
        str, Parameter(help="The format of the events, by its name: source.preset.")
    ] = "",
    restore: Annotated[
        str, Parameter(help="The checkpoint to continue from, its path or latest: state.restore.")
    ] = "",
    debug: Annotated[bool, Parameter(negative=(), help="Show the traceback if it fails.")] = False,
) -> int:
    """Run the job on this machine until its input ends or you press Ctrl-C.

    If no Redis is configured (REDIS_URL or redis.url), one is started for the duration of the run,
    which leaves its lists in the folder redis.keep for `millirec get` and the others.

    Examples:
        millirec run events.jsonl
        millirec run ratings.csv --preset movielens-csv --set lists.length=50
        millirec run --set source.kind=directory --set source.paths=inbox
    """
    from flink_app.local.run import run as run_job

    given = []
    if files and load(config, settings).config.source.kind not in ("files", "directory"):
        given.append("source.kind=files")
    if preset:
        given.append(f"source.preset={preset}")
    if restore:
        given.append(f"state.restore={restore}")
    loaded = load(config, [*given, *settings])
    return run_job(loaded.reading([str(file) for file in files]) if files else loaded, debug)


@dataclass(frozen=True, kw_only=True)
class Tests:
    """What `millirec evaluate` tests, and where its figures go: each field is a flag of it."""

    mode: Annotated[
        list[Literal["strict", "parallel"]],
        Parameter(
            negative=(),
            help="strict: one event after the other in a single shard. parallel: with the "
            "configured shards and parallelism, as a live job gets events, 200 a second. "
            "Repeatable: one run for each.",
        ),
    ] = field(default_factory=lambda: ["strict"])
    model: Annotated[
        list[Served],
        Parameter(
            negative=(),
            help="The model whose lists are tested; by default lists.model. Repeatable: all in one "
            "run.",
        ),
    ] = field(default_factory=list)
    positive: Annotated[
        str,
        Parameter(
            help="Which ratings count as events, such as 'rating>=4.5'; others are left out."
        ),
    ] = ""
    seeds: Annotated[int, Parameter(help="The number of runs, each with another seed.")] = 1
    baseline: Annotated[
        list[
            Literal[
                "popular",
                "isgd",
                "raisgd",
                "biased-mf",
                "item-knn",
                "user-knn",
                "als",
                "sr",
                "vsknn",
                "stan",
                "gru4rec",
                "all",
            ]
        ],
        Parameter(
            negative=(),
            help="A published method to measure on the same events. Repeatable. biased-mf also "
            "learns from the ratings that --positive leaves out.",
        ),
    ] = field(default_factory=list)
    warmup: Annotated[
        int | Literal["half"],
        Parameter(help="How many events are learned before the first test, or half of all."),
    ] = 0
    freeze: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Learn nothing after the warm-up: lists follow what their users do, and models "
            "stay as they are.",
        ),
    ] = False
    split: Annotated[
        Literal["half"] | None,
        Parameter(help="The same as --warmup half; use the first half to choose settings."),
    ] = None
    sessions: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Each session is taken for a user: only what comes next in it is a test, and "
            "nothing is known of what its user did before.",
        ),
    ] = False
    repeat: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Lists may contain what the user had before, and events on such items are tests.",
        ),
    ] = False
    items: Annotated[
        list[Path],
        Parameter(
            negative=(),
            help="A file about items, such as u.item, which the job knows before the first event; "
            "items that nobody took, and that few did, are then tested apart too. Repeatable.",
        ),
    ] = field(default_factory=list)
    users: Annotated[
        list[Path],
        Parameter(
            negative=(),
            help="A file of profiles, lines of kind profile or MovieLens' u.user, which the job "
            "knows before the first event. Repeatable.",
        ),
    ] = field(default_factory=list)
    policy: Annotated[
        list[str],
        Parameter(
            negative=(),
            help="Instead of all that, estimate the clicks per list of another order: a feature by "
            "name, an ONNX ranker, or ranker; FILES are what ranker.log wrote. Repeatable.",
        ),
    ] = field(default_factory=list)
    patience: Annotated[
        float,
        Parameter(help="For --policy: how likely the place after one that is looked at is, too."),
    ] = 0.85
    out: Annotated[
        Path | None,
        Parameter(
            name="--out",
            help="A JSON file for all figures, and for those that millirec report draws for people "
            "who decide: a second pass, of some 3 ms an event.",
        ),
    ] = None
    plot: Annotated[
        Path | None,
        Parameter(help="A plot of recall@10 over the events, .svg or .png; needs matplotlib."),
    ] = None


@app.command
def evaluate(
    *files: Annotated[Path, Parameter(help="Files of events with times, in any order.")],
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
    preset: Annotated[
        str, Parameter(help="The format of the events, by its name: source.preset.")
    ] = "",
    tests: Annotated[Tests, Parameter(name="*")] = Tests(),
) -> None:
    """Measure the lists' quality on recorded events: test each event, then learn it.

    It runs the job on this machine with a Redis of its own, over the events in order of time.
    Baselines get the same events one after the other; their settings are in docs/models.md.

    Examples:
        millirec evaluate ratings.csv --preset movielens-csv --positive 'rating>=4.5'
        millirec evaluate events.jsonl --mode strict --mode parallel --seeds 5 --out report.json
        millirec evaluate events.jsonl --baseline popular --plot quality.svg
        millirec evaluate events.jsonl --model ranker --model item-cf --model mf
        millirec evaluate events.jsonl --baseline popular --baseline item-knn --warmup half
        millirec evaluate u.data --preset movielens --items u.item
        millirec evaluate u.data --preset movielens --users u.user
        millirec evaluate ranked --policy item-cf --policy ranker.onnx
    """
    from flink_app.evaluate.evaluation import evaluate as measure

    if not files:
        raise ConfigError("millirec evaluate needs a file of events")
    if tests.policy:
        from flink_app.evaluate.policies import compare

        compare(files, tests.policy, tests.patience, tests.out)
        return
    if tests.seeds < 1:
        raise ConfigError(f"--seeds is {tests.seeds}: it must be at least 1")
    if tests.warmup != "half" and tests.warmup < 0:
        raise ConfigError(f"--warmup is {tests.warmup}: it must be at least 0, or half")
    given = [f"source.preset={preset}"] if preset else []
    measure(
        load(config, [*given, *settings]).config,
        files,
        tests.mode,
        tests.seeds,
        tests.positive,
        tests.out,
        tests.baseline,
        warmup=tests.split or tests.warmup,
        freeze=tests.freeze,
        models=tests.model,
        sessions=tests.sessions,
        repeat=tests.repeat,
        items=tests.items,
        users=tests.users,
        plot=tests.plot,
    )


@app.command
def graph(
    *,
    mermaid: Annotated[bool, Parameter(negative=(), help="Print a Mermaid flowchart.")] = False,
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Print the job's operators as Flink would run them; nothing is run."""
    from flink_app.local.plan import as_mermaid, as_text, plan

    steps = plan(load(config, settings).config)
    print(as_mermaid(steps) if mermaid else as_text(steps))


@app.command
def package(
    *,
    out: Annotated[Path, Parameter(name="--out", help="The archive to write.")] = Path(
        "millirec-job.zip"
    ),
    config: ConfigFile = None,
    settings: Settings = [],  # noqa: B006
) -> None:
    """Make the archive for `flink run`: code, configuration and instructions, but no secrets."""
    from flink_app.local.compilation import compile_now
    from flink_app.package import write

    for line in write(out, load(config, settings), compile_now):
        print(line)
