"""Groups lines into micro-batches, with Flink SQL in the JVM, where Flink can checkpoint them.

In: a `Source`, the length of a window and a key for each lane. Out: a `DataStream` of rows `(lane
INT, lines STRING: a JSON array, opened BIGINT: ms)`, one row per lane and window.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from flink_app.graph.sources import Source, create_tables

# Processing-time windows do not fire at the end of a bounded input, and event-time windows stall
# while a live input is idle. So the event time of a bounded input is its reading time, with a
# watermark one millisecond behind, without which the last rows of a window would count as late. A
# waiting subtask must hold the windows of the others open, so sources never count as idle: see
# docs/decisions/no-idle-sources.md.
_READING_TIME = (
    "t AS CAST(CURRENT_TIMESTAMP AS TIMESTAMP_LTZ(3)), "
    "WATERMARK FOR t AS t - INTERVAL '0.001' SECOND"
)
_PROCESSING_TIME = "t AS PROCTIME()"

# The freshness of a bounded input does not matter, and larger batches cost less per event: windows
# of 200 ms instead of 50 raised the benchmark's throughput by a third.
_BOUNDED_MS = 200

# Each subtask's batch is cut into a piece for every user shard, so with as many windows a second,
# twice the subtasks would learn the same events in four times as many pieces.
_MOST_MS = 50


def window_of(source: Source, window_ms: int) -> int:
    """The length of the windows in ms: as configured for each subtask, but at most 50 in all unless
    one alone has more; for a bounded source at least 200."""
    window_ms = max(window_ms, min(window_ms * source.lanes, _MOST_MS))
    return max(window_ms, _BOUNDED_MS) if source.bounded else window_ms


def micro_batches(
    tables: StreamTableEnvironment, source: Source, window_ms: int, keys: Sequence[int]
) -> DataStream:
    """Declare the source's tables and group their lines by lane and window.

    Args:
        keys: by which Flink distributes the lanes.
    """
    for statement in create_tables(source, _READING_TIME if source.bounded else _PROCESSING_TIME):
        tables.execute_sql(statement)
    return tables.to_data_stream(tables.sql_query(batch_query(source, window_ms, keys)))


def batch_query(source: Source, window_ms: int, keys: Sequence[int]) -> str:
    """The query that collects lines with their position per lane and window, as they arrive."""
    lane = source.lane
    if len(keys) > 1:
        # Added to the lane, so that the key has the lane's type, NOT NULL or not, as in older
        # states: Flink restores no other.
        more = ", ".join(str(key - number) for number, key in enumerate(keys))
        lane = f"{lane} + COALESCE(ARRAY[{more}][{lane} + 1], 0)"
    text = "COALESCE(line, '')"
    tagged = f"{source.position} || U&'\\000A' || {text}" if source.position else text
    lines = " UNION ALL ".join(
        f"SELECT {lane} AS lane, {tagged} AS line, t FROM source{number}"
        for number in range(len(source.paths))
    )
    window = f"t, INTERVAL '{window_ms / 1000:.3f}' SECOND(1, 3)"
    start = f"TUMBLE_START({window})"
    return (
        "SELECT lane, JSON_ARRAYAGG(JSON_STRING(line)) AS line_array, "
        f"UNIX_TIMESTAMP(CAST({start} AS STRING)) * 1000 + EXTRACT(MILLISECOND FROM {start}) "
        f"AS opened FROM ({lines}) GROUP BY lane, TUMBLE({window})"
    )
