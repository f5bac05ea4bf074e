"""Writes dead letters to files or a Kafka topic, one JSON object per line.

In: a `DataStream` of JSON strings. Out: a Flink sink on it. Files are completed by checkpoints, or
at the end of a bounded input.
"""

from __future__ import annotations

from pyflink.common import Types
from pyflink.common.serialization import Encoder, SimpleStringSchema
from pyflink.datastream import DataStream
from pyflink.datastream.connectors import DeliveryGuarantee
from pyflink.datastream.connectors.file_system import (
    FileSink,
    OutputFileConfig,
    RollingPolicy,
)
from pyflink.datastream.connectors.kafka import (
    KafkaRecordSerializationSchema,
    KafkaSink,
)

from flink_app.config import Config
from flink_app.config.paths import flink_uri, is_local, local
from udfs.operators.letters import Letters

NAME = "dead letters"
WRITABLE = f"{NAME}: writable?"


def write_dead_letters(letters: DataStream, config: Config) -> None:
    """Attach the sink of `[dead_letters]`; none for kind "none", which only counts them."""
    settings = config.dead_letters
    if settings.kind == "none":
        return
    sink = _kafka_sink(config) if settings.kind == "kafka" else _file_sink(settings.path)
    if settings.kind == "files" and is_local(settings.path):
        letters = letters.process(Letters(str(local(settings.path))), Types.STRING())
        letters = letters.name(WRITABLE).uid("letters").set_parallelism(1)
    letters.sink_to(sink).name(NAME).uid(NAME).set_parallelism(1)


def _file_sink(path: str) -> FileSink:
    folder = flink_uri(path, "dead_letters.path")
    rolling = RollingPolicy.default_rolling_policy(
        part_size=64 * 1024 * 1024, rollover_interval=60_000, inactivity_interval=5_000
    )
    return (
        FileSink.for_row_format(folder, Encoder.simple_string_encoder())
        .with_rolling_policy(rolling)
        .with_output_file_config(
            OutputFileConfig.builder()
            .with_part_prefix("dead-letters")
            .with_part_suffix(".jsonl")
            .build()
        )
        .build()
    )


def _kafka_sink(config: Config) -> KafkaSink:
    settings, source = config.dead_letters, config.source
    schema = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(settings.topic)
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    builder = (
        KafkaSink.builder()
        .set_bootstrap_servers(settings.brokers or source.brokers)
        .set_record_serializer(schema)
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
    )
    for key, value in source.properties.items():
        builder = builder.set_property(key, value)
    return builder.build()
