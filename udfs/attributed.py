"""What became of lists, as sums: how they are named, bounded and read.

In: sums by `<group>:<name>:<measure>`, which the user learners count (`udfs.learning.attribution`).
Out: the fields of the Redis hash `stats`, rates with intervals, and how likely each place of a list
is looked at. The groups are those of `GROUPS`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

DRAWN = "drawn"
GROUPS = ("position", DRAWN, "model", "placed", "hour", "category", "provider", "segment")
"""Each view counts once in each group, and as often as the user has segments in the last. `drawn`
are the places of explored items alone."""
VIEWS, CLICKS, CONVERSIONS, VALUE = "views", "clicks", "conversions", "value"
EXAMINED = "examined"
"""How likely a place is looked at, against the first one; of positions only, see `examined`."""
UNKNOWN = ("unknown_lists", "unknown_items")
"""Events whose list is none of those that are kept, and those whose item is not in it."""
PLACES = 20
"""Places that are counted by themselves; all others are `LATER`."""
LATER, OTHER = "later", "other"
NAMES = 64
"""Names of a group at most; what is counted of the others is counted as `OTHER`."""
_Z = 1.959964  # of 95 %
_LEAST = 20  # clicks on explored items, for the examination of places to be told
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


def tables(sums: Mapping[str, float]) -> dict[str, Table]:
    """The measures of each name of each group; beyond `NAMES` names of a group, those that came
    last are one row.

    >>> tables({"model:mf:views": 4.0, "hour:7:views": 4.0, "model:mf:clicks": 1.0})["model"]
    {'mf': {'views': 4.0, 'clicks': 1.0}}
    """
    found: dict[str, Table] = {group: {} for group in GROUPS}
    for key, value in sums.items():
        group, _, rest = key.partition(":")
        name, colon, measure = rest.rpartition(":")
        if colon and group in found:
            found[group].setdefault(name, {})[measure] = value
    for rows in found.values():
        named = [name for name in rows if name != OTHER]
        for name in named[NAMES:]:
            for measure, value in rows.pop(name).items():
                other = rows.setdefault(OTHER, {})
                other[measure] = other.get(measure, 0.0) + value
    return found


def quantile(groups: int = 1) -> float:
    """The quantile z of the normal distribution for which this many 95 % intervals hold together
    (Bonferroni).

    >>> round(quantile(), 3), round(quantile(10), 3)
    (1.96, 2.807)
    """
    return NormalDist().inv_cdf(1.0 - 0.025 / max(groups, 1))


def wilson(hits: float, trials: float, z: float = _Z) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), or that of another quantile z of the normal
    distribution; of no trials, everything.

    With p = hits / n and z: (p + z²/2n ± z √(p(1 − p)/n + z²/4n²)) / (1 + z²/n).

    >>> tuple(round(end, 3) for end in wilson(10, 100)), wilson(0, 0)
    ((0.055, 0.174), (0.0, 1.0))
    """
    if trials <= 0:
        return 0.0, 1.0
    share, extra = min(hits / trials, 1.0), z * z / trials
    half = z * math.sqrt(share * (1.0 - share) / trials + extra / (4.0 * trials))
    middle, whole = share + extra / 2.0, 1.0 + extra
    return max((middle - half) / whole, 0.0), min((middle + half) / whole, 1.0)


def examined(drawn: Table) -> float:
    """ρ, how likely a user who looked at a place looks at the next one; NaN if too little is known.

    Explored items stand at places that were drawn evenly, whatever they are. So their clicks differ
    between places by how likely these are looked at alone, which is taken to be ρ^(k − 1) of place
    k. The maximum of the likelihood of clicks_k ~ Poisson(c · views_k · ρ^(k − 1)) is where the
    mean place of the clicks is that of the views, each weighed by ρ^(k − 1). Nobody looks at a
    later place more: ρ is at most 1.

    >>> row = {"2": {"views": 80.0, "clicks": 16.0}, "4": {"views": 80.0, "clicks": 4.0}}
    >>> round(examined(row), 3), examined({})
    (0.5, nan)
    """
    rows = [(int(k) - 1, row) for k, row in drawn.items() if k != LATER and row.get(VIEWS)]
    clicks = sum(row.get(CLICKS, 0.0) for _, row in rows)
    if clicks < _LEAST or len(rows) < 2:
        return math.nan
    wanted = sum(place * row.get(CLICKS, 0.0) for place, row in rows) / clicks
    low, high = 0.01, 1.0
    for _ in range(40):  # the mean place of the weighed views rises with ρ
        middle = math.sqrt(low * high)
        weights = [(place, row[VIEWS] * middle**place) for place, row in rows]
        mean = sum(place * w for place, w in weights) / sum(w for _, w in weights)
        low, high = (middle, high) if mean < wanted else (low, middle)
    return high


def fields(sums: Mapping[str, float]) -> dict[str, str]:
    """The fields of `stats`; none of no sums.

    >>> fields({"unknown_lists": 2.0, "model:mf:views": 3.0})
    {'attribution:model:mf:views': '3', 'attribution:unknown_lists': '2'}
    """
    values, found = dict[str, float](), tables(sums)
    if not math.isnan(share := examined(found[DRAWN])):
        for name in found["position"].keys() - {LATER}:
            found["position"][name][EXAMINED] = share ** (int(name) - 1)
    for group, rows in found.items():
        for name, measures in sorted(rows.items()):
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
