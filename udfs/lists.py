"""The front end's contract: the JSON of a list and the Redis commands that publish it.

In: ranked slots with scores. Out: `SET` commands for `rec:<user>`, `similar:<item>` and `popular`,
each a JSON string `{"user"|"item", "id", "at", "v", "source", "items": [{"item","score","why"}]}`.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs import list_kernels
from udfs.catalogue import Catalogue
from udfs.redis_writer import Command

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
        self._why = {
            model: np.frombuffer(b',"why":{"model":"%s"}}' % model.encode(), np.uint8)
            for model in ("mf", "popular")
        }

    def items(
        self, slots: NDArray[np.int32], scores: NDArray[np.float32], model: str
    ) -> list[bytes]:
        """The JSON objects of the items of each list, without the brackets.

        Args:
            slots, scores: int32[rows, N] (the first negative one ends a list), float32[rows, N] in
                0 to 1.
        """
        catalogue, why = self.catalogue, self._why[model]
        lengths = np.where(slots >= 0, catalogue.text_length[slots], 0)
        room = int(lengths.sum()) + (len(why) + 7) * slots.size
        if room > len(self._out):
            self._out = np.zeros(2 * room, np.uint8)
        ends = np.zeros(len(slots), np.int64)
        list_kernels.write_items(
            slots, scores, catalogue.text, catalogue.text_at, catalogue.text_length, why,
            self._out, ends,
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

    def similar_list(self, item: str, at_ms: int, items: bytes) -> Command:
        """The command for `similar:<item>`."""
        return self._shared(f"similar:{item}", b'"item":%s,' % _json(item), "mf", at_ms, items)

    def popular_list(self, at_ms: int, items: bytes) -> Command:
        """The command for `popular`."""
        return self._shared("popular", b"", "popular", at_ms, items)

    def _shared(self, key: str, head: bytes, model: str, at_ms: int, items: bytes) -> Command:
        value = b'{%s"id":"%x","at":%d,"v":%d,"source":"%s","items":[%s]}' % (
            head, at_ms, at_ms, CONTRACT, model.encode(), items,
        )  # fmt: skip
        return (b"SET", f"{self._prefix}{key}".encode(), value, b"EX", self._expiry)
