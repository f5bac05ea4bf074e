"""The places of an object's values, from which fields are proposed.

In: a decoded JSON object. Out: dotted paths as in `source.fields` and `source.each`.
"""

from __future__ import annotations

from typing import Any

_MOST = 3  # levels of objects that are looked into


def paths(event: Any, prefix: str = "", depth: int = 0) -> tuple[list[str], list[str]]:
    """The dotted paths of an object's plain values, and those of its lists of objects.

    >>> paths({"who": {"id": 1}, "items": [{"sku": "a"}]})
    (['who.id'], ['items[]'])
    """
    plain: list[str] = []
    lists: list[str] = []
    for key, value in event.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and depth < _MOST:
            below = paths(value, f"{path}.", depth + 1)
            plain += below[0]
            lists += below[1]
        elif isinstance(value, list):
            if value and isinstance(value[0], dict):
                lists.append(f"{path}[]")
        elif not isinstance(value, dict):
            plain.append(path)
    return plain, lists
