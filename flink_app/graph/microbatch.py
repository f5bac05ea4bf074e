"""Micro-batches, made in the JVM by Flink SQL, where Flink can checkpoint them.

In: a `Source` and the length of a window. Out: a `DataStream` of rows `(lane INT, lines STRING: a
JSON array, opened BIGINT: ms)`, one row per lane and window.
"""

from __future__ import annotations

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from flink_app.graph.sources import Source, create_tables

# Processing-time windows do not fire at the end of a bounded input, event-time windows stall while
# a live one is idle: so a bounded input gets its reading time as event time, with a watermark one
# millisecond behind, without which the last rows of a window would count as late. A subtask that
# waits must hold the others' windows open, so sources never count as idle: see
# docs/decisions/no-idle-sources.md.
_READING_TIME = (
    "t AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)), "
    "WATERMARK FOR t AS t - INTERVAL '0.001' SECOND"
)
_PROCESSING_TIME = "t AS PROCTIME()"

# Nobody waits for the lists of a bounded input, and larger batches cost less per event: windows of
# 200 ms instead of 50 raised the benchmark's throughput by a third.
_BOUNDED_MS = 200


def window_of(source: Source, window_ms: int) -> int:
    """How long the windows are, in ms: as asked for, of a bounded source at least 200."""
    return max(window_ms, _BOUNDED_MS) if source.bounded else window_ms


def micro_batches(tables: StreamTableEnvironment, source: Source, window_ms: int) -> DataStream:
    """Declare the source's tables and group their lines by lane and window."""
    for statement in create_tables(source, _READING_TIME if source.bounded else _PROCESSING_TIME):
        tables.execute_sql(statement)
    return tables.to_data_stream(tables.sql_query(batch_query(source, window_ms)))


def batch_query(source: Source, window_ms: int) -> str:
    """The query: lines with their position, collected per lane and window in order of arrival."""
    text = "COALESCE(line, '')"
    tagged = f"{source.position} || U&'\\000A' || {text}" if source.position else text
    lines = " UNION ALL ".join(
        f"SELECT {source.lane} AS lane, {tagged} AS line, t FROM source{number}"
        for number in range(len(source.text))
    )
    window = f"t, INTERVAL '{window_ms / 1000:.3f}' SECOND(1, 3)"
    start = f"TUMBLE_START({window})"
    return (
        "SELECT lane, JSON_ARRAYAGG(JSON_STRING(line)) AS line_array, "
        f"UNIX_TIMESTAMP(CAST({start} AS STRING)) * 1000 + EXTRACT(MILLISECOND FROM {start}) "
        f"AS opened FROM ({lines}) GROUP BY lane, TUMBLE({window})"
    )
