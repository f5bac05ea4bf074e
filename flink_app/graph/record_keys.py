"""The key and the time of a Kafka message, put on its line, where a mapping names them.

In: `[source]` or `[items]`. Out: the SQL of a line, and what the table needs for it. Nothing is
read of a message but its value unless the mapping asks for more.
"""

from __future__ import annotations

from flink_app.config.input_options import Source
from udfs.events.places import alternatives
from udfs.options.schema_registry import VALUE_FORMATS

LINE = "COALESCE(line, '')"
"""SQL of a line that is the value alone."""

FEED = r"U&'\000A'"
"""SQL of a line feed."""

KEY, TIME = "@key", "@time"
"""How a mapping names the key, and the message's time: fields of every line of JSON."""

KEY_VALUE = "key-value"
"""The preset whose messages are no JSON: the key is the user, the value the item."""

KEY_COLUMN = "record_key"
KEY_COLUMNS = (
    f", {KEY_COLUMN} STRING"
    ", record_time TIMESTAMP_LTZ(3) NOT NULL METADATA FROM 'timestamp' VIRTUAL"
)
"""SQL of the columns that these lines are made of."""

KEY_OPTIONS = {
    "key.format": "raw",
    "key.fields": "record_key",
    "value.fields-include": "EXCEPT_KEY",
}
"""The connector's options for them."""

_KEY = "COALESCE(JSON_STRING(record_key), 'null')"
_AT = "CAST(record_time AS TIMESTAMP(3))"


def sql_ms(time: str) -> str:
    """SQL of the ms since 1970 of a TIMESTAMP(3) without a zone, BIGINT."""
    return f"UNIX_TIMESTAMP(CAST({time} AS STRING)) * 1000 + EXTRACT(MILLISECOND FROM {time})"


_MS = f"CAST({sql_ms(_AT)} AS STRING)"


def line_of(source: Source) -> str:
    """SQL of a line: `LINE` unless the mapping needs more of a message.

    A value that is JSON is passed on as it is by `key-value`: lines of other kinds may be among the
    items. One with a schema stands behind a line feed, before which is what else is needed.
    """
    if source.preset == KEY_VALUE:
        made = (
            f"""'{{"key":' || {_KEY} || ',"ts":' || {_MS} || ',"payload":' || """
            "COALESCE(JSON_STRING(line), 'null') || '}'"
        )
        return f"CASE WHEN line LIKE '{{%' THEN line ELSE {made} END"
    places = {part for place in source.fields.values() for part in alternatives(place)}
    needed = bool(places & {KEY, TIME})
    if source.format in VALUE_FORMATS:
        head = f"""'{{"{KEY}":' || {_KEY} || ',"{TIME}":' || {_MS} || '}}' || """ if needed else ""
        return f"{head}{FEED} || {LINE}"
    if not needed:
        return LINE
    more = f"""'{{"{KEY}":' || {_KEY} || ',"{TIME}":' || {_MS} || ',' || SUBSTRING(line, 2)"""
    return f"""CASE WHEN line LIKE '{{%"%' THEN {more} ELSE {LINE} END"""
