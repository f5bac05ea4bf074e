"""A small job that needs the same environment as the real one, submitted by `flink run`.

Kafka by SQL, raw lines with partition and offset → a keyed operator in thread mode → Kafka.
"""

from __future__ import annotations

import argparse

from count_operator import Count  # type: ignore[import-not-found]  # beside it
from pyflink.common import Configuration, Types
from pyflink.common.serialization import SimpleStringSchema
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.connectors.base import DeliveryGuarantee
from pyflink.datastream.connectors.kafka import KafkaRecordSerializationSchema, KafkaSink
from pyflink.table import StreamTableEnvironment


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("bootstrap")
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("marker")
    parser.add_argument("--bounded", action="store_true")
    arguments = parser.parse_args()

    configuration = Configuration()
    configuration.set_string("execution.checkpointing.interval", "500 ms")
    env = StreamExecutionEnvironment.get_execution_environment(configuration)
    table = StreamTableEnvironment.create(env)
    bounded = ", 'scan.bounded.mode' = 'latest-offset'" if arguments.bounded else ""
    table.execute_sql(
        f"""CREATE TABLE source (
            line STRING,
            `partition` INT METADATA VIRTUAL,
            `offset` BIGINT METADATA VIRTUAL
        ) WITH (
            'connector' = 'kafka',
            'topic' = '{arguments.source}',
            'properties.bootstrap.servers' = '{arguments.bootstrap}',
            'properties.group.id' = '{arguments.target}',
            'scan.startup.mode' = 'earliest-offset',
            'format' = 'raw'{bounded}
        )"""
    )
    lines = table.to_data_stream(table.from_path("source"))
    counts = lines.key_by(lambda row: row[0].split()[0], key_type=Types.STRING()).process(
        Count(arguments.marker), output_type=Types.STRING()
    )
    serializer = (
        KafkaRecordSerializationSchema.builder()
        .set_topic(arguments.target)
        .set_value_serialization_schema(SimpleStringSchema())
        .build()
    )
    counts.sink_to(
        KafkaSink.builder()
        .set_bootstrap_servers(arguments.bootstrap)
        .set_record_serializer(serializer)
        .set_delivery_guarantee(DeliveryGuarantee.AT_LEAST_ONCE)
        .build()
    )
    env.execute("count")


if __name__ == "__main__":
    main()
