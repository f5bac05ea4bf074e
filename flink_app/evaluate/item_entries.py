"""Metadata of items for an evaluation, as user learners know it before the first event.

In: files about items, of any form that `millirec items` reads. Out: packed entries, which `Trial`
hands to the user learners: the events are a file that is read as fast as it can be, and no item
event among them would have reached all learners in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flink_app.config import Config
from flink_app.data.item_files import read_items
from udfs.errors import SourceError
from udfs.feed.metadata import described, pack
from udfs.models.content.features import content_vector
from udfs.rules.rules import Rules
from udfs.state.item_records import Record, as_of, fields_of, merged, unpack_record


def item_entries(config: Config, files: Sequence[Path], now_ms: int) -> list[bytes]:
    """The items in files, each with the newest of its fields; unusable lines are left out.

    Raises:
        SourceError: a file cannot be read, or there is no item in any.
    """
    records: dict[str, Record] = {}
    for block in read_items(config, files, now_ms=now_ms):
        for change in block.changes:
            known = records.get(change.item)
            before = unpack_record(None, change.item) if known is None else known
            records[change.item] = merged(before, change.ts, change.fields)
    if files and not records:
        names = ", ".join(map(str, files))
        raise SourceError(f"no line of {names} is about an item: see `millirec validate`")
    rules, entries = Rules(config.rules), []
    for item, record in records.items():
        fields = fields_of(record)
        content, verdict = content_vector(fields).tobytes(), rules.judge(fields, item)
        entries.append(pack(described(item, as_of(record), fields, content, verdict)))
    return entries
