"""Lists as records of a Kafka topic, by Flink's own sink, besides those in Redis.

In: the side output of the user learner, messages as `udfs.lists.topic` packs them. Out: a record
for each list: the key a user's id as it is, the value its JSON, or Avro or Protobuf with a schema,
headers that name its form; a tombstone for a user who is gone. The messages are taken apart by SQL,
in the JVM: a row of Python's for each list would take more of the interpreter than the list itself.
"""

from __future__ import annotations

import msgspec
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.config.lists_topic_options import ListsTopic
from flink_app.config.topics import shared_topic
from flink_app.connections.kafka_topic import Topic, require_topic
from flink_app.graph.edges import side_output
from flink_app.graph.sources import sql_options, sql_text
from flink_app.graph.sql_sinks import attach_sink
from udfs.lists.contract import CONTRACT
from udfs.operators.flink import LISTS

NAME = "lists topic"
_MADE, _TABLE = "lists_made", "lists_topic"
_BATCH = str(128 * 1024)  # bytes: a few dozen lists; with Kafka's 16 KB each request has a handful
_LINGER = "20"  # ms: otherwise a batch has the lists of few users, and brokers take as long for it
_TRANSACTION_MS = 900_000  # the most that brokers allow by default; Flink asks for an hour


def topic_kinds(config: Config) -> tuple[str, ...]:
    """Which lists go to Kafka, for the user learner."""
    return tuple(config.lists_topic.kinds) if config.lists_topic.topic else ()


def write_lists(learned: DataStream, tables: StreamTableEnvironment, config: Config) -> None:
    """Attach the sink of `[lists_topic]`, whose topics are made if there are none; nothing if no
    topic is named.

    Raises:
        ServiceError: a topic cannot be made, or does not keep the newest record of each key.
    """
    if not topic_kinds(config):
        return
    section = with_source(config)
    topics = [section.topic] * ("user" in section.kinds)
    topics += [shared_topic(section.topic)] * bool({*section.kinds} - {"user"})
    like = config.source.topic if _is_beside(config, section) else ""
    for name in topics:
        require_topic(section.brokers, section.properties, Topic(name, like))
    messages = tables.from_data_stream(side_output(learned, LISTS))
    tables.create_temporary_view(_MADE, messages)
    attach_sink(learned, tables, (_TABLE, table(section)), query(section), NAME)


def with_source(config: Config) -> ListsTopic:
    """The section, with the address and properties of the source where it has none of its own."""
    section, source = config.lists_topic, config.source
    return msgspec.structs.replace(
        section,
        brokers=section.brokers or source.brokers,
        properties=section.properties or ({} if section.brokers else source.properties),
    )


def table(section: ListsTopic) -> str:
    """The statement that declares both topics as one table.

    >>> "'key.format' = 'raw'" in table(ListsTopic(topic="recommendations"))
    True
    """
    options = {
        "acks": "all",
        "compression.type": "zstd",
        "batch.size": _BATCH,
        "linger.ms": _LINGER,
    }
    if section.delivery == "exactly-once":
        options["transaction.timeout.ms"] = str(_TRANSACTION_MS)
    options |= {**section.properties, "bootstrap.servers": section.brokers}
    with_ = {
        "connector": "kafka",
        "topic": f"{section.topic};{shared_topic(section.topic)}",
        "key.format": "raw",
        "key.fields": "record_key",
        "value.format": "raw",
        "value.fields-include": "EXCEPT_KEY",
        "sink.delivery-guarantee": section.delivery,
    } | {f"properties.{key}": value for key, value in options.items()}
    if section.delivery == "exactly-once":
        with_["sink.transactional-id-prefix"] = f"millirec-{section.topic}"
    return (
        f"CREATE TABLE {_TABLE} (record_key BYTES, list BYTES, "
        "topic STRING NOT NULL METADATA, headers MAP<STRING, BYTES> METADATA) "
        f"WITH ({sql_options(with_)})"
    )


def query(section: ListsTopic) -> str:
    """The statement that takes messages apart, a record for each of theirs."""
    own, shared = sql_text(section.topic), sql_text(shared_topic(section.topic))
    headers = {"v": str(CONTRACT)}
    if section.format == "json":
        headers = {"content-type": "application/json"} | headers
    texts = ", ".join(f"'{name}', ENCODE('{text}', 'UTF-8')" for name, text in headers.items())
    return (
        f"INSERT INTO {_TABLE} SELECT name, list, "
        f"CASE WHEN shared THEN {shared} ELSE {own} END, MAP[{texts}] "
        f"FROM {_MADE} CROSS JOIN UNNEST(records) AS T(name, list)"
    )


def _is_beside(config: Config, section: ListsTopic) -> bool:
    return config.source.kind == "kafka" and config.source.brokers == section.brokers
