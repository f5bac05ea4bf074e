"""Groups lines into micro-batches, with Flink SQL in the JVM, where Flink can checkpoint them.

In: a `Source` or two, the length of a window and a key for each lane. Out: a `DataStream` of rows
`(lane INT, lines STRING: a JSON array, opened BIGINT: ms)`, one row per lane and window.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyflink.datastream import DataStream
from pyflink.table import StreamTableEnvironment

from flink_app.graph.record_keys import FEED, sql_ms
from flink_app.graph.sources import Source, create_tables
from udfs.events.item_lines import MARK

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


def window_of(source: Source, window_ms: int, items: Source | None = None) -> int:
    """The length of the windows in ms: as configured for each subtask, but at most 50 in all unless
    one alone has more; for bounded sources at least 200."""
    window_ms = max(window_ms, min(window_ms * source.lanes, _MOST_MS))
    return max(window_ms, _BOUNDED_MS) if _end(source, items) else window_ms


def _end(source: Source, items: Source | None) -> bool:
    return source.bounded and (items is None or items.bounded)


def micro_batches(
    tables: StreamTableEnvironment,
    source: Source,
    window_ms: int,
    keys: Sequence[int],
    items: Source | None = None,
) -> DataStream:
    """Declare the sources' tables and group their lines by lane and window.

    Args:
        keys: by which Flink distributes the lanes. items: where lines about items alone come from.
    """
    sources = [source] if items is None else [source, items]
    time = _READING_TIME if _end(source, items) else _PROCESSING_TIME
    for one in sources:
        for statement in create_tables(one, time):
            tables.execute_sql(statement)
    return tables.to_data_stream(tables.sql_query(batch_query(source, window_ms, keys, items)))


def batch_query(
    source: Source, window_ms: int, keys: Sequence[int], items: Source | None = None
) -> str:
    """The query that collects lines with their position per lane and window, as they arrive."""
    selected = _selected(source, keys, _tagged(source, alone=items is None))
    if items is not None:
        selected += _selected(items, keys, _marked(items))
    lines = " UNION ALL ".join(selected)
    window = f"t, INTERVAL '{window_ms / 1000:.3f}' SECOND(1, 3)"
    start = f"TUMBLE_START({window})"
    return (
        "SELECT lane, JSON_ARRAYAGG(JSON_STRING(line)) AS line_array, "
        f"{sql_ms(start)} AS opened FROM ({lines}) GROUP BY lane, TUMBLE({window})"
    )


def _selected(source: Source, keys: Sequence[int], line: str) -> list[str]:
    """A query of each table of a source, with the key of each line's lane."""
    lane = source.lane
    if len(keys) > 1:
        # Added to the lane, so that the key has the lane's type, NOT NULL or not, as in older
        # states: Flink restores no other.
        more = ", ".join(str(key - number) for number, key in enumerate(keys))
        lane = f"{lane} + COALESCE(ARRAY[{more}][{lane} + 1], 0)"
    return [
        f"SELECT {lane} AS lane, {line} AS line, t FROM {source.tables}{number}"
        for number in range(len(source.paths))
    ]


def _tagged(source: Source, *, alone: bool) -> str:
    """A line behind its position and a line feed, unless its source is alone and has none."""
    if source.position:
        return f"{source.position} || {FEED} || {source.line}"
    return source.line if alone else f"{FEED} || {source.line}"


def _marked(items: Source) -> str:
    """A line about an item behind a mark, where it is from, and a line feed."""
    name = items.name.replace("'", "''")
    place = [rf"U&'\{ord(MARK):04X}'", f"'{name}'"]
    if items.position:
        place += [f"':' || {items.position}" if name else items.position]
    return f"{' || '.join(place)} || {FEED} || {items.line}"
