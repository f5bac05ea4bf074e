"""A list for somebody of whom only a context is known: the lists of its segments, combined.

In: lists as they are in Redis, of the segments and of all users. Out: one list of items, best
first, for an answer without a stored user; or the JSON of such a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, log

import msgspec

from udfs.lists import contract
from udfs.lists.contract import CONTRACT, Entry, RecommendationList, list_id
from udfs.lists.keys import POPULAR, SEGMENT
from udfs.models.segments.names import ALL

SOURCE = "segments"
"""The `source` of these lists."""
_MISSING = 0.5
"""The score of an item that a list does not hold, as a part of the lowest one in it."""


def keys_of(segments: Iterable[str]) -> list[str]:
    """The keys, without their prefix, of the lists that `combined` takes, in its order.

    >>> keys_of(["country:DE"])
    ['segment:country:DE', 'segment:all', 'popular']
    """
    return [*map(SEGMENT.of, segments), SEGMENT.of(ALL), POPULAR.of()]


def combined(values: Sequence[bytes | None], n: int) -> list[tuple[str, float]]:
    """The best n items by the lists under `keys_of`, with scores of at most 1, the best 1.

    The score of an item is the geometric mean of its scores in the lists of segments, or in that of
    all users if no segment has one (a logarithmic opinion pool: Genest, Zidek 1986). What is
    popular fills the list, or is all of it as long as there is no other list.

    Args:
        values: the values in Redis; None, or a value that is no list: there is none.
    """
    return _combined([_read(value) for value in values], n)


def _combined(found: Sequence[RecommendationList | None], n: int) -> list[tuple[str, float]]:
    """See `combined`."""
    *segments, everybody, popular = map(_scores, found)
    lists = [one for one in segments if one] or [one for one in (everybody,) if one]
    mean = _pooled(lists)
    best = sorted(mean, key=lambda item: (-mean[item], item))[:n]
    top = mean[best[0]] if best else 0.0
    ranked = [(item, exp(mean[item] - top)) for item in best]
    below = ranked[-1][1] if ranked else 1.0
    more = [(item, below * score) for item, score in popular.items() if item not in mean]
    return [*ranked, *more][:n]


def as_list(values: Sequence[bytes | None], n: int) -> bytes | None:
    """The JSON of the list that `combined` makes, as old as the newest of its parts; None if no
    segment has one, and nothing but what is popular is known.

    Each item has the reason that the first list with it gives.
    """
    lists = [_read(value) for value in values]
    *parts, popular = lists
    found = [one for one in parts if one is not None and one.items]
    if not found:
        return None
    why = {
        entry.item: entry.why
        for one in reversed([*found, popular] if popular else found)
        for entry in one.items
    }
    at = max(one.at for one in found)
    items = [Entry(item, round(score, 4), why[item]) for item, score in _combined(lists, n)]
    head = {"id": list_id(at), "at": at, "v": CONTRACT, "source": SOURCE}
    return msgspec.json.encode({**head, "items": items})


def _pooled(lists: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The mean logarithm of each item's scores."""
    least = [_MISSING * min(one.values()) for one in lists]
    items = dict.fromkeys(item for one in lists for item in one)
    return {
        item: sum(log(one.get(item, low)) for one, low in zip(lists, least, strict=True))
        / len(lists)
        for item in items
    }


def _scores(found: RecommendationList | None) -> dict[str, float]:
    """The scores above 0 of a list, best first."""
    return {one.item: one.score for one in found.items if one.score > 0} if found else {}


def _read(value: bytes | None) -> RecommendationList | None:
    try:
        return contract.read(value) if value else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
