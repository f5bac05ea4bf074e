"""The front end's contract: the JSON of a list and the Redis commands that publish it.

In: ranked slots with scores. Out: `SET` commands for `rec:<user>`, `similar:<item>`, `popular`
and `trending`, each a JSON string
`{"user"|"item", "id", "at", "v", "source", "items": [{"item","score","why"}]}`.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.lists import json_kernels
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.options.sources import SOURCES
from udfs.state.records import pack_factor
from udfs.stores.redis_writer import Command

CONTRACT = 1
"""The `v` of every list: raised when a field changes its meaning."""

_json = msgspec.json.Encoder().encode


class ListWriter:
    """Turns ranked slots into commands.

    Args:
        prefix: before every key. expiry_s: seconds until a list expires. publish: whether the
            user's id is published on channel `rec` when the list changes.
    """

    def __init__(self, catalogue: Catalogue, prefix: str, expiry_s: int, publish: bool) -> None:
        self.catalogue = catalogue
        self._prefix = prefix
        self._expiry = str(expiry_s).encode()
        self._publish = publish
        self._key = f"{prefix}rec:".encode()
        channel = self._key[:-1]
        self._notice = b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n" % (len(channel), channel)
        self._out = np.zeros(1024, np.uint8)
        why = [b',"why":{"model":"%s"' % model.encode() for model in SOURCES]
        self._why = np.frombuffer(b"".join(why), np.uint8)
        self._why_at = np.cumsum([0, *map(len, why)]).astype(np.int32)
        self._because = np.frombuffer(b',"because":[', np.uint8)

    def items(self, lists: Lists, reasons: NDArray[np.int32] | None = None) -> list[bytes]:
        """The JSON objects of the items of each list, without the brackets.

        Args:
            lists: the first negative item ends a list.
            reasons: int32[n, N, R], the items that speak for each item, −1: none.
        """
        catalogue, slots = self.catalogue, lists.items
        if reasons is None:
            reasons = np.full((*slots.shape, 0), -1, np.int32)
        lengths = np.where(slots >= 0, catalogue.text_length[slots], 0)
        named = np.where(reasons >= 0, catalogue.text_length[reasons], 0)
        room = int(lengths.sum() + named.sum()) + (len(self._why) + 24) * slots.size
        if room > len(self._out):
            self._out = np.zeros(2 * room, np.uint8)
        ends = np.zeros(len(slots), np.int64)
        json_kernels.write_items(
            slots, lists.scores, lists.models, reasons,
            catalogue.text, catalogue.text_at, catalogue.text_length,
            self._why, self._why_at, self._because, self._out, ends,
        )  # fmt: skip
        written = self._out[: ends[-1] if len(ends) else 0].tobytes()
        edges = [0, *ends.tolist()]
        return [written[a:b] for a, b in pairwise(edges)]

    def user_list(
        self, user: str, number: int, at_ms: int, model: str, items: bytes
    ) -> list[Command]:
        """The commands for `rec:<user>`; the list's id ends with `number`, the user's events."""
        name = _json(user)
        value = b'{"user":%s,"id":"%x-%x","at":%d,"v":%d,"source":"%s","items":[%s]}' % (
            name, at_ms, number, at_ms, CONTRACT, model.encode(), items,
        )  # fmt: skip
        raw, end = user.encode(), self._expiry
        key = self._key + raw
        commands: list[Command] = [
            b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$2\r\nEX\r\n$%d\r\n%b\r\n"
            % (len(key), key, len(value), value, len(end), end)
        ]
        if self._publish:
            commands.append(self._notice + b"$%d\r\n%b\r\n" % (len(raw), raw))
        return commands

    def user_factor(self, user: str, vector: NDArray[np.float32]) -> Command:
        """The command for `factor:<user>`, for whoever ranks other items for this user."""
        key = f"{self._prefix}factor:{user}".encode()
        return (b"SET", key, pack_factor(vector), b"EX", self._expiry)

    def similar_list(self, item: str, at_ms: int, model: str, items: bytes) -> Command:
        """The command for `similar:<item>`."""
        return self._shared(f"similar:{item}", b'"item":%s,' % _json(item), model, at_ms, items)

    def popular_list(self, at_ms: int, items: bytes) -> Command:
        """The command for `popular`."""
        return self._shared("popular", b"", "popular", at_ms, items)

    def trending_list(self, at_ms: int, items: bytes) -> Command:
        """The command for `trending`."""
        return self._shared("trending", b"", "trending", at_ms, items)

    def _shared(self, key: str, head: bytes, model: str, at_ms: int, items: bytes) -> Command:
        value = b'{%s"id":"%x","at":%d,"v":%d,"source":"%s","items":[%s]}' % (
            head, at_ms, at_ms, CONTRACT, model.encode(), items,
        )  # fmt: skip
        return (b"SET", f"{self._prefix}{key}".encode(), value, b"EX", self._expiry)
