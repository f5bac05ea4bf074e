"""The job, top to bottom: events come in, factors are learned, lists go to Redis.

In: a `Config` and Flink's environments. Out: the graph, not yet running. Each operator has the
name and uid of its file; all state is keyed by shard.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from pyflink.common import Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.connections.redis_access import redis_settings
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.headers import check_headers
from flink_app.graph.layout import check_layout, note_layout
from flink_app.graph.microbatch import micro_batches, window_of
from flink_app.graph.shards import shard_keys
from flink_app.graph.sinks import write_dead_letters
from flink_app.graph.sources import source_of
from udfs.learning.settings import ORDINARY, JobSettings, Trial
from udfs.operators.flink import DEAD_LETTERS, STATS
from udfs.operators.item_learner import ItemLearner
from udfs.operators.parse import Parse
from udfs.operators.stats import Stats
from udfs.operators.user_learner import UserLearner

_BYTES = Types.PICKLED_BYTE_ARRAY()
_KEYED_BYTES = Types.TUPLE([Types.INT(), _BYTES])


def build(
    environment: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    config: Config,
    trial: Trial = ORDINARY,
    names: Mapping[str, str] = {},
) -> None:
    """Put the whole job into `environment`.

    Args:
        trial: changes which events it tests. names: the true paths behind those of the source.

    Raises:
        ConfigError, SourceError: the configured job cannot be built, or does not fit the state
            that it is to be restored from.
    """
    check_layout(environment, config)
    job = config.job
    user_keys = shard_keys(job.shards, job.max_parallelism)
    item_keys = shard_keys(job.item_shards, job.max_parallelism)
    source = source_of(config)
    check_headers(config)
    born_ms = time.time_ns() // 1_000_000

    # → (lane: int, lines: JSON array of str, opened: ms)
    window_ms = window_of(source, job.window_ms)
    batches = micro_batches(tables, source, window_ms)
    settings = JobSettings(
        options=config.settings,
        item_keys=item_keys,
        window_ms=window_ms,
        born_ms=born_ms,
        trial=trial,
    )

    # → (user shard key: int, EventBatch: bytes)
    events = (
        batches.process(
            Parse(
                decode_settings(config),
                {"user learner": user_keys},
                source.name,
                bool(source.position),
                names,
            ),
            _KEYED_BYTES,
        )
        .name("parse")
        .uid("parse")
    )

    # → {"reason", "detail", "source", "line", "at"}: str
    write_dead_letters(events.get_side_output(DEAD_LETTERS), config)

    # → (item shard key: int, Deltas: bytes), and lists in Redis
    deltas = (
        events.key_by(lambda pair: pair[0], Types.INT())
        .process(UserLearner(settings), _KEYED_BYTES)
        .name("user learner")
        .uid("user learner")
        .disable_chaining()  # see docs/decisions/kernels-and-threads.md
    )

    # → Account: bytes, and the item feed in Redis
    items = (
        deltas.key_by(lambda pair: pair[0], Types.INT())
        .process(ItemLearner(settings), _BYTES)
        .name("item learner")
        .uid("item learner")
        .disable_chaining()
    )

    # → nothing, and `stats` in Redis
    accounts = events.get_side_output(STATS).union(deltas.get_side_output(STATS), items)
    nothing = (
        accounts.key_by(lambda _: 0, Types.INT())
        .process(Stats(redis_settings(config, born_ms), config.quality.models), _BYTES)
        .name("stats")
        .uid("stats")
        .set_parallelism(1)
    )

    # → nothing; its name stores the layout in checkpoints and savepoints
    note_layout(nothing, config)
