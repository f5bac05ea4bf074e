"""What users are shown: some of the lists in Redis, and how evenly they cover the catalogue.

In: a Redis client and the prefix of the keys. Out: a `Sample`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import redis
from numpy.typing import NDArray

from flink_app.lookup.lists import now_ms
from udfs.lists import contract
from udfs.lists.contract import CONTRACT, RecommendationList
from udfs.lists.keys import POPULAR, USER, escaped

MOST = 5_000
"""Lists that are read; SCAN gives them in no order, so that they are like any others."""
TOP = 10
"""Items of a list that are looked at, as for `coverage@10`."""
_AT_ONCE = 500


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The first ten items of some lists.

    Attributes:
        lists: how many. places: all their items. shown: different items among them.
        catalogue: items known to the job, at least `shown`.
        gini: the Gini index of the places over the catalogue: 0 if each item has as many, 1 if one
            has all. top: the share of the places that the most shown 1 % of the catalogue have.
        popular: the share of the places whose item is among the ten most popular.
        lorenz: the share of the places that the least shown 0, 1, … 100 % of the catalogue have.
        models: places by what speaks most for the item.
        ages_s: the age of lists in seconds at the 10th, 50th, 90th and 99th of 100.
        most: the most shown items, with the share of the lists that hold them.
    """

    lists: int
    places: int
    shown: int
    catalogue: int
    gini: float
    top: float
    popular: float
    lorenz: list[float]
    models: dict[str, int]
    ages_s: list[float]
    most: list[tuple[str, float]]


AGES = (10, 50, 90, 99)


def read_sample(
    client: redis.Redis, prefix: str, catalogue: int, most: int = MOST
) -> Sample | None:
    """A sample of users' lists; None if nobody has one.

    Args:
        catalogue: how many items the job knows. most: lists that are read.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    counts: Counter[str] = Counter()
    models: Counter[str] = Counter()
    ages, now = [], now_ms()
    for found in _lists(client, prefix, most):
        top = found.items[:TOP]
        counts.update(entry.item for entry in top)
        models.update(str(entry.why.get("model", found.source)) for entry in top)
        ages.append(max(0, now - found.at) / 1000)
    places = counts.total()
    if not places:
        return None
    fallback = client.get(prefix + POPULAR.key)
    best = {entry.item for entry in _decoded(fallback).items[:TOP]} if fallback else set()
    each = np.zeros(max(catalogue, len(counts)), np.int64)
    each[: len(counts)] = list(counts.values())
    lorenz = lorenz_curve(each)
    return Sample(
        lists=len(ages),
        places=places,
        shown=len(counts),
        catalogue=len(each),
        gini=gini(each),
        top=top_share(each, 0.01),
        popular=sum(counts[item] for item in best) / places,
        lorenz=[round(float(value), 5) for value in lorenz],
        models=dict(models.most_common()),
        ages_s=[round(float(age), 1) for age in np.percentile(ages, AGES)],
        most=[(item, round(count / len(ages), 4)) for item, count in counts.most_common(10)],
    )


def _lists(client: redis.Redis, prefix: str, most: int) -> Iterator[RecommendationList]:
    """At most this many users' lists; values that are not lists are skipped."""
    keys = client.scan_iter(match=f"{escaped(prefix)}{USER.key}*", count=1000)
    chosen = islice(keys, most)
    while some := list(islice(chosen, _AT_ONCE)):
        for value in client.mget(some):  # type: ignore[union-attr]
            found = _decoded(value)
            if found.items:
                yield found


_EMPTY = RecommendationList(id="", at=0, v=CONTRACT, source="", items=[])


def _decoded(value: object) -> RecommendationList:
    """The list in a value; an empty one where there is none."""
    try:
        return contract.read(value) if isinstance(value, bytes) else _EMPTY
    except msgspec.DecodeError:
        return _EMPTY


def gini(counts: NDArray[Any]) -> float:
    """The Gini index of counts or sums, shape (n,): Σ (2i − n − 1) xᵢ / (n Σ xᵢ), x ascending and i
    from 1.

    >>> gini(np.array([1, 1, 1])), gini(np.array([0, 0, 9]))
    (0.0, 0.6667)
    """
    x = np.sort(counts)
    weights = 2 * np.arange(1, len(x) + 1) - len(x) - 1
    return round(float((weights * x).sum() / (len(x) * x.sum())), 4)


def top_share(counts: NDArray[np.int64], share: float) -> float:
    """What the largest `share` of counts have of them all; at least one of them.

    >>> top_share(np.array([1, 1, 8]), 0.01)
    0.8
    """
    most = max(1, round(share * len(counts)))
    return round(float(np.sort(counts)[::-1][:most].sum() / counts.sum()), 4)


def lorenz_curve(counts: NDArray[np.int64], steps: int = 100) -> NDArray[np.float64]:
    """The share of the sum that the smallest k / steps of counts have, for k = 0 … steps.

    >>> lorenz_curve(np.array([3, 1]), steps=2).tolist()
    [0.0, 0.25, 1.0]
    """
    sums = np.concatenate([[0.0], np.cumsum(np.sort(counts))]) / counts.sum()
    return np.interp(np.linspace(0, len(counts), steps + 1), np.arange(len(sums)), sums)
