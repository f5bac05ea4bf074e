"""The metadata of an item shard: merged in Flink's state, told to pages and to the user learners.

In: `ItemChange`s, and the shard's rows of metadata. Out: rows written, and Redis as
`udfs.stores.redis_metadata` has it. Nothing is kept in memory but when an item comes to be shown,
or not any more, by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from udfs.events.item_changes import ItemChange
from udfs.feed.metadata import Described, described, pack
from udfs.memory.metadata import NEVER
from udfs.models.content.features import content_vector
from udfs.options.rules import Rule
from udfs.rules.rules import Rules
from udfs.state.handles import Rows
from udfs.state.item_records import as_of, fields_of, merged, pack_record, unpack_record
from udfs.stores.redis_metadata import RedisMetadata, Update

_AT_ONCE = 64  # items written to Redis at once where many are: some milliseconds
_NOT_ON_PAGES = ("vector", "text_vector", "image_vector")
_json = msgspec.json.Encoder().encode


class ItemMetadata:
    """See the module.

    Args:
        rows: of the shard, while it is the current one. shard: its number. rules: about items.
    """

    def __init__(
        self, rows: Rows, redis: RedisMetadata, shard: int, rules: Sequence[Rule] = ()
    ) -> None:
        self._rows, self._redis, self._shard = rows, redis, shard
        self._rules = Rules(rules)
        self._due: list[tuple[int, str]] = []  # a heap: when the item changes by itself, ms

    def load(self, now_ms: int) -> list[str]:
        """Read the state; returns the items that have metadata."""
        names = []
        for item, data in self._rows.items():
            names.append(item)
            at = self._described(item, data)[0].changes_at(now_ms)
            if at < NEVER:
                self._due.append((at, item))
        heapify(self._due)
        return names

    def _described(self, item: str, data: bytes | None) -> tuple[Described, dict[str, Any]]:
        """What is needed of a record but its content, which takes most of the time, and its
        fields."""
        record = unpack_record(data, f"the metadata of item {item!r}")
        fields = fields_of(record)
        verdict = self._rules.judge(fields, item)
        return described(item, as_of(record), fields, b"", verdict), fields

    def take(self, changes: Sequence[ItemChange], now_ms: int) -> tuple[list[str], list[str]]:
        """Merge changes; returns the items that they are of, and those that may not be shown."""
        by_item: dict[str, list[ItemChange]] = {}
        for change in changes:
            by_item.setdefault(change.item, []).append(change)
        written, hidden = dict[str, bytes](), list[str]()
        for item, own in by_item.items():
            record = unpack_record(self._rows.get(item), f"the metadata of item {item!r}")
            for change in own:
                record = merged(record, change.ts, change.fields)
            written[item] = pack_record(record)
        self._rows.put_all(written)
        left = iter(written.items())
        while some := dict(islice(left, _AT_ONCE)):
            hidden += self._write(some, now_ms)
        return [*by_item], hidden

    def _write(self, rows: dict[str, bytes], now_ms: int) -> list[str]:
        """Write items to Redis; returns those that may not be shown."""
        updates = []
        for item, data in rows.items():
            entry, fields = self._described(item, data)
            entry = replace(entry, content=content_vector(fields).tobytes())
            if (at := entry.changes_at(now_ms)) < NEVER:
                heappush(self._due, (at, item))
            shown = entry.may_be_shown(now_ms)
            updates.append(Update(item, pack(entry), page_of(fields), shown))
        self._redis.write(self._shard, updates, now_ms)
        return [one.item for one in updates if not one.shown]

    @property
    def next_ms(self) -> int:
        """When the next item comes to be shown, or not any more; `NEVER` if none does."""
        return self._due[0][0] if self._due else NEVER

    def pass_time(self, now_ms: int) -> list[str]:
        """Note which items may be shown or not by now; returns those that may not."""
        items = set()
        while self._due and self._due[0][0] <= now_ms:
            items.add(heappop(self._due)[1])
        told, hidden = [], []
        for item in sorted(items):
            if (data := self._rows.get(item)) is None:
                continue
            entry, _ = self._described(item, data)
            if (at := entry.changes_at(now_ms)) < NEVER:
                heappush(self._due, (at, item))
            shown = entry.may_be_shown(now_ms)
            told.append((item, not shown))
            hidden += [item] * (not shown)
        if told:
            self._redis.hide(self._shard, told)
        return hidden

    def hidden(self, items: Sequence[str], now_ms: int) -> list[str]:
        """Those of some items that may not be shown now."""
        found = [(item, self._rows.get(item)) for item in items]
        return [
            item
            for item, data in found
            if data is not None and not self._described(item, data)[0].may_be_shown(now_ms)
        ]

    def rewrite(self, now_ms: int) -> Iterator[list[str]]:
        """Write all that the state has to Redis again, some of it each time it is continued; yields
        the items among them that may not be shown."""
        names = [item for item, _ in self._rows.items()]
        for begin in range(0, len(names), _AT_ONCE):
            some = names[begin : begin + _AT_ONCE]
            rows = {item: data for item in some if (data := self._rows.get(item)) is not None}
            yield self._write(rows, now_ms)

    @property
    def lost(self) -> bool:
        """Whether Redis lacks something of what was written."""
        return self._redis.lost(self._shard)

    def mark(self) -> None:
        """See `RedisMetadata.mark`."""
        self._redis.mark(self._shard)

    def remove(self, items: Iterable[str]) -> None:
        """Forget items that are not known any more."""
        found = [item for item in items if self._rows.get(item) is not None]
        for item in found:
            self._rows.remove(item)
        if found:
            self._redis.remove(self._shard, found)


def page_of(fields: dict[str, Any]) -> bytes:
    """What a front end reads of an item: its fields as JSON, and the first category by itself; b""
    of an item that is deleted.

    >>> page_of({"title": "Mug", "categories": ["cups", "tea"], "vector": [1.0]})
    b'{"title":"Mug","categories":["cups","tea"],"category":"cups"}'
    """
    if not fields or fields.get("deleted"):
        return b""
    shown = {name: value for name, value in fields.items() if name not in _NOT_ON_PAGES}
    if fields.get("categories"):
        shown["category"] = fields["categories"][0]
    return _json(shown)
