"""What worlds say about their items, as lines of JSON, and since when an item is there.

In: the number of an item and its fields, as docs/items.md names them. Out: lines without a newline:
`{"kind":"item","item":"i204","ts":…,"title":…}`.
"""

from __future__ import annotations

from typing import Any

import msgspec

DAY_MS = 86_400_000
_YEAR = 365
_encode = msgspec.json.Encoder().encode


def long_ago(number: int, now_ms: int) -> int:
    """When an item that was there from the beginning was published: a month to a year before."""
    return now_ms - (30 + number * 37 % (_YEAR - 30)) * DAY_MS


def encode_item(number: int, ts: int, told: dict[str, Any]) -> bytes:
    """One item event as a line of JSON without its newline; ts: milliseconds since 1970.

    >>> encode_item(2, 1704067200000, {"available": False})
    b'{"kind":"item","item":"i2","ts":1704067200000,"available":false}'
    """
    return _encode({"kind": "item", "item": f"i{number}", "ts": ts, **told})
