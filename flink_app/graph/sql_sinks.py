"""Sinks that Flink makes of a table: where rows are taken apart or written in the JVM alone.

In: a statement that declares the sink's table, and one that writes into it. Out: an operator with a
name and a uid: SQL gives no uid, and without one a job with another graph would not find what a
checkpoint has left to be committed.
"""

from __future__ import annotations

from typing import Any

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment
from pyflink.util.java_utils import get_field_value

_FILES = "StreamingFileWriter"


def attach_sink(
    stream: DataStream,
    tables: StreamTableEnvironment,
    table: tuple[str, str],
    insert: str,
    name: str,
) -> None:
    """Add a sink to the graph of `stream`.

    Args:
        table: its name, and the statement that declares it. insert: the statement that writes.
        name: of the operator, and its uid.
    """
    tables.execute_sql(table[1])
    statements = tables.create_statement_set()
    statements.add_insert_sql(insert)
    statements.attach_as_datastream()
    java: Any = stream._j_data_stream.getExecutionEnvironment()
    found = get_field_value(java, "transformations")
    for place in range(found.size()):
        one = found.get(place)
        # That of files is behind a sink that takes nothing.
        before = one.getInputs().get(0) if str(one.getName()) == "end" else one
        if str(before.getName()).startswith((f"{table[0]}[", _FILES)):
            before.setName(name)
            before.setUid(name)
