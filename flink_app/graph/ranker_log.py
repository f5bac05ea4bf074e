"""The part of the graph that writes what the ranker ranked, to train models on.

In: the side output of the user learner, a row for each ranking. Out: the same as Parquet files in a
folder, completed by checkpoints or at the end of a bounded input, or as JSON in a Kafka topic, by
Flink's own sinks. Without `ranker.log` there is neither a sink nor a side output.
"""

from __future__ import annotations

from pyflink.common import TypeInformation
from pyflink.common.typeinfo import BasicArrayTypeInfo, MapTypeInfo
from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from flink_app.config import Config
from flink_app.config.paths import flink_uri
from flink_app.graph.edges import side_output
from flink_app.graph.sources import sql_options
from flink_app.graph.sql_sinks import attach_sink
from udfs.operators.flink import RANKING, RANKINGS

NAME = "ranker log"
_MADE, _TABLE = "rankings_made", "ranker_log"
_WORDS = {"Long": "BIGINT", "String": "STRING", "Integer": "INT", "Float": "FLOAT"}


def write_rankings(learned: DataStream, tables: StreamTableEnvironment, config: Config) -> None:
    """Attach the sink of `ranker.log`.

    Raises:
        ConfigError: Flink cannot name the folder.
    """
    if not config.ranker.log:
        return
    rows = tables.from_data_stream(side_output(learned, RANKINGS))
    tables.create_temporary_view(_MADE, rows)
    insert = f"INSERT INTO {_TABLE} SELECT * FROM {_MADE}"
    attach_sink(learned, tables, (_TABLE, table(config)), insert, NAME)


def table(config: Config) -> str:
    """The statement that declares the folder or topic as a table.

    >>> from flink_app.config import load
    >>> text = table(load(None, ["ranker.log=/ranked"], {}).config)
    >>> "'path' = 'file:///ranked'" in text, "`items` ARRAY<STRING>" in text
    (True, True)
    """
    options = _topic(config) if config.ranker.log_topic else _folder(config)
    fields = zip(RANKING.get_field_names(), RANKING.get_field_types(), strict=True)
    columns = ", ".join(f"`{name}` {word(kind)}" for name, kind in fields)
    return f"CREATE TABLE {_TABLE} ({columns}) WITH ({sql_options(options)})"


def _folder(config: Config) -> dict[str, str]:
    return {
        "connector": "filesystem",
        "path": flink_uri(config.ranker.log_folder, "ranker.log"),
        "format": "parquet",
        "parquet.compression": "SNAPPY",
        "sink.parallelism": "1",  # fewer and larger files: a checkpoint completes each
    }


def _topic(config: Config) -> dict[str, str]:
    source = config.source
    client = {"compression.type": "zstd", **source.properties, "bootstrap.servers": source.brokers}
    return {
        "connector": "kafka",
        "topic": config.ranker.log_topic,
        "format": "json",
        "sink.delivery-guarantee": "at-least-once",
    } | {f"properties.{key}": value for key, value in client.items()}


def word(kind: TypeInformation) -> str:
    """The type of SQL of a type of PyFlink.

    >>> from pyflink.common import Types
    >>> word(Types.MAP(Types.STRING(), Types.BASIC_ARRAY(Types.INT())))
    'MAP<STRING, ARRAY<INT>>'
    """
    if isinstance(kind, MapTypeInfo):
        return f"MAP<{word(kind._key_type_info)}, {word(kind._value_type_info)}>"
    if isinstance(kind, BasicArrayTypeInfo):
        return f"ARRAY<{word(kind._element_type)}>"
    return _WORDS[str(kind)]
