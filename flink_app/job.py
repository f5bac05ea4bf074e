"""The job, top to bottom: events come in, factors are learned, lists go to Redis.

In: a `Config` and Flink's environments. Out: the graph, not yet running. Each operator has the
name and uid of its file; all state is keyed by shard.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.config.pseudonyms import pseudonyms_of
from flink_app.connections.redis_access import redis_settings
from flink_app.graph.cassandra import keep_in_cassandra
from flink_app.graph.edges import at_once, by_key, side_output
from flink_app.graph.encoders import with_vectors
from flink_app.graph.event_settings import decode_settings
from flink_app.graph.headers import check_headers
from flink_app.graph.identity import heard_by, with_persons
from flink_app.graph.layout import check_layout, note_layout
from flink_app.graph.lists_topic import topic_kinds, write_lists
from flink_app.graph.microbatch import micro_batches, window_of
from flink_app.graph.own_models import with_own_models
from flink_app.graph.ranker_log import write_rankings
from flink_app.graph.shards import lane_keys, shard_keys
from flink_app.graph.sinks import write_dead_letters
from flink_app.graph.sources import items_of, source_of
from udfs.events.kinds import ITEM_LEARNER, USER_LEARNER
from udfs.formats.settings import JSON, ListFormat
from udfs.learning.settings import ORDINARY, JobSettings, Trial
from udfs.operators.flink import ACCOUNT, BYTES, DEAD_LETTERS, PIECE, STATS
from udfs.operators.item_learner import ItemLearner
from udfs.operators.parse import Parse, output_to
from udfs.operators.stats import Stats
from udfs.operators.user_learner import UserLearner
from udfs.options.own import beside


def build(
    environment: StreamExecutionEnvironment,
    tables: StreamTableEnvironment,
    config: Config,
    trial: Trial = ORDINARY,
    names: Mapping[str, str] = {},
    list_format: ListFormat = JSON,
) -> None:
    """Put the whole job into `environment`.

    Args:
        trial: changes which events it tests. names: the true paths behind those of the source.
        list_format: how lists go to Kafka, see `flink_app.connections.schema_registry`.

    Raises:
        ConfigError, SourceError: the configured job cannot be built, or does not fit the state
            that it is to be restored from. ServiceError: a topic that it needs is not there.
    """
    check_layout(environment, config)
    config = with_own_models(config)
    job = config.job
    user_keys = shard_keys(job.shards, job.max_parallelism)
    item_keys = shard_keys(job.item_shards, job.max_parallelism)
    source, apart = source_of(config), items_of(config)
    check_headers(config)
    lanes = lane_keys(source.lanes, job.max_parallelism)
    born_ms = time.time_ns() // 1_000_000

    # → (lane: int, lines: JSON array of str, opened: ms)
    window_ms = window_of(source, job.window_ms, apart)
    batches = micro_batches(tables, source, window_ms, lanes, apart)
    settings = JobSettings(
        options=config.settings,
        item_keys=item_keys,
        window_ms=window_ms,
        born_ms=born_ms,
        trial=trial,
        topic=topic_kinds(config),
        list_format=list_format,
    )

    # → (user shard key: int, EventBatch: bytes), or a notice of items that change
    parse = Parse(
        decode_settings(config),
        {USER_LEARNER: heard_by(config, user_keys), ITEM_LEARNER: item_keys},
        source.name,
        bool(source.position) or apart is not None,
        names,
        letters=config.dead_letters.kind != "none",
        items="" if apart is None else "other" if apart.name else "files",
        pseudonyms=pseudonyms_of(config),
    )
    events = at_once(batches.process(parse, PIECE).name("parse").uid("parse"))

    # → {"reason", "detail", "source", "line", "at"}: str
    write_dead_letters(side_output(events, DEAD_LETTERS), config)

    # → (item shard key: int, Deltas: bytes), and lists in Redis
    persons, resolved = with_persons(events, config, user_keys)
    deltas = at_once(
        by_key(persons)
        .process(UserLearner(settings), PIECE)
        .name("user learner")
        .uid("user learner")
        .disable_chaining()  # see docs/decisions/kernels-and-threads.md
    )

    # → lists in a Kafka topic, what was ranked, lists and histories in Cassandra, if configured
    write_lists(deltas, tables, config)
    write_rankings(deltas, tables, config)
    keep_in_cassandra(deltas, config)

    # → Account: bytes, and the item feed and items' metadata in Redis
    changes = side_output(events, output_to(ITEM_LEARNER))
    changes, encoded = with_vectors(changes, config, item_keys)
    items = at_once(
        by_key(deltas.union(changes))
        .process(ItemLearner(settings), ACCOUNT)
        .name("item learner")
        .uid("item learner")
        .disable_chaining()
    )

    # → nothing, and `stats` in Redis
    tested = (*config.quality.models, *beside(config))
    accounts = side_output(events, STATS).union(
        side_output(deltas, STATS), items, *encoded, *resolved
    )
    nothing = (
        by_key(accounts)
        .process(Stats(redis_settings(config, born_ms), tested, config.settings), BYTES)
        .name("stats")
        .uid("stats")
        .set_parallelism(1)
    )

    # → nothing; its name stores the layout in checkpoints and savepoints
    note_layout(nothing, config)
