"""What became of lists, as sums: how they are named, bounded and read.

In: sums by `<group>:<name>:<measure>`, which the user learners count (`udfs.learning.attribution`).
Out: the fields of the Redis hash `stats`, rates with intervals, and how likely each place of a list
is looked at. The groups are those of `GROUPS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

GROUPS = ("position", "model", "placed", "hour", "category", "provider", "segment")
"""Each view counts once in each group, and as often as the user has segments in the last."""
VIEWS, CLICKS, CONVERSIONS, VALUE = "views", "clicks", "conversions", "value"
SCORE = "score"
"""The sum of the scores with which viewed items stood in their lists; of positions only."""
EXAMINED = "examined"
"""How likely a place is looked at, against the first one; of positions only."""
UNKNOWN = ("unknown_lists", "unknown_items")
"""Events whose list is none of those that are kept, and those whose item is not in it."""
PLACES = 20
"""Places that are counted by themselves; all others are `LATER`."""
LATER, OTHER = "later", "other"
NAMES = 64
"""Names of a group at most; what is counted of the others is counted as `OTHER`."""
_Z = 1.959964  # of 95 %
_LEAST_VIEWS, _LEAST_CLICKS = 100, 10  # of a place, for its examination to be told
Table = dict[str, dict[str, float]]


def position(place: int) -> str:
    """The name of a place from 0.

    >>> position(0), position(20)
    ('1', 'later')
    """
    return str(place + 1) if place < PLACES else LATER


def add(sums: dict[str, float], group: str, name: str, measure: str, by: float = 1.0) -> None:
    """Add to a sum."""
    key = f"{group}:{name}:{measure}"
    sums[key] = sums.get(key, 0.0) + by


def table(sums: Mapping[str, float], group: str) -> Table:
    """The measures of each name of a group; beyond `NAMES` of them, those with the fewest views are
    one row.

    >>> table({"model:mf:views": 4.0, "hour:7:views": 4.0, "model:mf:clicks": 1.0}, "model")
    {'mf': {'views': 4.0, 'clicks': 1.0}}
    """
    found: Table = {}
    for key, value in sums.items():
        first, _, rest = key.partition(":")
        name, colon, measure = rest.rpartition(":")
        if first == group and colon:
            found.setdefault(name, {})[measure] = value
    by_views = sorted(found, key=lambda name: (-found[name].get(VIEWS, 0.0), name))
    named = [name for name in by_views if name != OTHER]
    for name in named[NAMES:]:
        for measure, value in found.pop(name).items():
            other = found.setdefault(OTHER, {})
            other[measure] = other.get(measure, 0.0) + value
    return found


def wilson(hits: float, trials: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927); of no trials, everything.

    With p = hits / n and z = 1.96: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).

    >>> tuple(round(end, 3) for end in wilson(10, 100)), wilson(0, 0)
    ((0.055, 0.174), (0.0, 1.0))
    """
    if trials <= 0:
        return 0.0, 1.0
    share, extra = min(hits / trials, 1.0), _Z * _Z / trials
    half = _Z * math.sqrt(share * (1.0 - share) / trials + extra / (4.0 * trials))
    middle, whole = share + extra / 2.0, 1.0 + extra
    return max((middle - half) / whole, 0.0), min((middle + half) / whole, 1.0)


def examined(positions: Table) -> dict[str, float]:
    """How likely each place is looked at, against the first one; of places with enough views and
    clicks.

        θ_k = (clicks_k / Σ s) / (clicks_1 / Σ s),  the sums over the views at places k and 1

    with s the score of a viewed item, which is its chance to be taken against that of its list's
    first item. θ falls with k by what the scores do not explain. A score that falls too fast makes
    θ too large, and one that falls too slowly too small; docs/decisions/attribution.md has by how
    much.

    >>> some = {"views": 200.0, "clicks": 40.0, "score": 200.0}
    >>> examined({"1": some, "2": {"views": 200.0, "clicks": 10.0, "score": 100.0}, "3": {}})
    {'1': 1.0, '2': 0.5}
    """
    found = {
        name: row[CLICKS] / row[SCORE]
        for name, row in positions.items()
        if row.get(VIEWS, 0.0) >= _LEAST_VIEWS
        and row.get(CLICKS, 0.0) >= _LEAST_CLICKS
        and row.get(SCORE, 0.0) > 0.0
    }
    first = found.get("1")
    return {name: value / first for name, value in found.items()} if first else {}


def fields(sums: Mapping[str, float]) -> dict[str, str]:
    """The fields of `stats`; none of no sums.

    >>> fields({"unknown_lists": 2.0, "model:mf:views": 3.0})
    {'attribution:model:mf:views': '3', 'attribution:unknown_lists': '2'}
    """
    values: dict[str, float] = {}
    for group in GROUPS:
        found = table(sums, group)
        if group == "position":
            for name, share in examined(found).items():
                found[name][EXAMINED] = share
        for name, measures in sorted(found.items()):
            values |= {f"{group}:{name}:{measure}": v for measure, v in sorted(measures.items())}
    values |= {name: sums[name] for name in UNKNOWN if name in sums}
    return {f"attribution:{key}": f"{value:.12g}" for key, value in values.items()}


def read(stats: Mapping[str, str]) -> dict[str, float]:
    """The sums in the fields of `stats`.

    >>> read({"attribution:model:mf:views": "3", "lists": "9"})
    {'model:mf:views': 3.0}
    """
    prefix = "attribution:"
    return {
        name.removeprefix(prefix): float(value)
        for name, value in stats.items()
        if name.startswith(prefix)
    }
