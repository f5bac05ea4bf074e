"""Rates of groups of users with intervals: segments against all, and the end of a stream against
the rest.

In: tests, with whose they are and what they hit. Out: `Rate`s. Tests of one user depend on each
other, so the user is the observation: with y hits of x tests each, the rate is r = Σ y / Σ x and
its variance Σ (y − r x)² / (Σ x)², linearised (Cochran 1977, ratio estimators over clusters). The
interval of a rate is Wilson's of as many tests as would have that variance (Korn, Graubard 1998).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from udfs.attributed import quantile, wilson

LEAST = 30
"""Users, of a group about which anything is said."""
STRETCHES = 10
_MOST = 24  # groups of a field, those with the most users
_FIELDS = 8
_NOTHING = 1e-15

Floats = NDArray[np.float64]


class Rate(msgspec.Struct, frozen=True):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """Users who have something in common; `recall`, `ndcg`: None where there are too few.

    Attributes:
        field: what they have in common, such as gender. name: its value.
        users: those with a test. tests: theirs.
        verdict: worse or better than all users together, if their recall's interval excludes the
            mean; else "".
    """

    field: str
    name: str
    users: int
    tests: int
    recall: Rate | None = None
    ndcg: Rate | None = None
    verdict: str = ""


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """Recall@10 along the stream.

    Attributes:
        events: learned by the end of each stretch. recall: of each.
        change: that of the last stretch less that of all others.
    """

    events: list[int]
    recall: list[Rate]
    change: Rate


class Outcomes(msgspec.Struct, frozen=True, eq=False):
    """t tests in order.

    Attributes:
        at: int64[t], after how many events. users: int64[t], a number of each user, from 0.
        hits, gains: float64[t], recall@10 and NDCG@10 of each.
    """

    at: NDArray[np.int64]
    users: NDArray[np.int64]
    hits: Floats
    gains: Floats

    def __len__(self) -> int:
        return len(self.at)


def rate(values: Floats, users: NDArray[np.int64], groups: int = 1) -> Rate:
    """The mean of values in 0 to 1, float64[t], each of a user, int64[t].

    Args:
        groups: how many intervals are to hold together (Bonferroni).

    >>> rate(np.array([1.0, 0.0, 1.0, 0.0]), np.array([0, 1, 2, 3]))
    Rate(value=0.5, low=0.125..., high=0.874...)
    """
    mean, of = float(values.mean()), len(np.unique(users))
    variance = _deviation((values - mean) / len(values), users) ** 2 * of / max(of - 1, 1)
    # Of users who are all alike, or of one, each is a test.
    as_many = mean * (1.0 - mean) / variance if of > 1 and variance > _NOTHING else float(of)
    return Rate(mean, *wilson(mean * as_many, as_many, quantile(groups)))


def difference(values: Floats, users: NDArray[np.int64], second: NDArray[np.bool_]) -> Rate:
    """The mean of those of `second`, bool[t], less that of the others. Users may be in both."""
    n, m = max(int(second.sum()), 1), max(int((~second).sum()), 1)
    found = values[second].sum() / n - values[~second].sum() / m
    means = np.where(second, values[second].sum() / n, values[~second].sum() / m)
    return _around(found, (values - means) * np.where(second, 1.0 / n, -1.0 / m), users)


def change(before: Floats, after: Floats, users: NDArray[np.int64]) -> Rate:
    """How much more there is of values, float64[t], after than before, of the same t tests: the
    difference by the sum before. Nothing before is no change.

    >>> change(np.array([1.0, 1.0]), np.array([1.0, 1.0]), np.array([0, 1]))
    Rate(value=0.0, low=0.0, high=0.0)
    """
    total = before.sum()
    if not total:
        return Rate(0.0, 0.0, 0.0)
    ratio = after.sum() / total
    return _around(ratio - 1.0, (after - ratio * before) / total, users)


def segments(tests: Outcomes, fields: Mapping[str, Sequence[str]]) -> list[Segment]:
    """Each group of each field, those with the most users first where there are many.

    The intervals of a field hold together: of all its groups one is outside in 5 % of cases.

    Args:
        fields: by name the value of each user, by the users' numbers; "" of those without one.
    """
    found, mean = list[Segment](), float(tests.hits.mean()) if len(tests) else 0.0
    for field, values in [*fields.items()][:_FIELDS]:
        names = np.array(values)[tests.users]
        sizes = {str(n): len(np.unique(tests.users[names == n])) for n in np.unique(names) if n}
        shown = sorted(sizes, key=lambda name: -sizes[name])[:_MOST]
        known = sum(sizes[name] >= LEAST for name in shown)
        for name in sorted(shown):
            of = names == name
            one = Segment(field=field, name=name, users=sizes[name], tests=int(of.sum()))
            if one.users >= LEAST:
                recall = rate(tests.hits[of], tests.users[of], known)
                ndcg = rate(tests.gains[of], tests.users[of], known)
                verdict = "worse" if recall.high < mean else "better" if recall.low > mean else ""
                one = replace(one, recall=recall, ndcg=ndcg, verdict=verdict)
            found.append(one)
    return found


def parity_gap(values: Floats, users: NDArray[np.int64], groups: Sequence[str]) -> float | None:
    """The difference between the means of the best and of the worst group with enough users, None
    if there are not two: equal opportunity across groups (Hardt et al. 2016; of recommenders
    Ekstrand et al. 2018).

    Args:
        values: float64[t]. users: int64[t]. groups: of each user, "" of none.
    """
    names = np.array(groups)[users]
    of = [names == name for name in np.unique(names) if name]
    means = [values[one].mean() for one in of if len(np.unique(users[one])) >= LEAST]
    return float(max(means) - min(means)) if len(means) > 1 else None


def drift(tests: Outcomes) -> Drift | None:
    """Recall@10 in `STRETCHES` with as many tests each; None of too few tests."""
    if len(tests) < LEAST * STRETCHES:
        return None
    parts = np.array_split(np.arange(len(tests)), STRETCHES)
    last = np.zeros(len(tests), np.bool_)
    last[parts[-1]] = True
    return Drift(
        events=[int(tests.at[part[-1]]) for part in parts],
        recall=[rate(tests.hits[part], tests.users[part]) for part in parts],
        change=difference(tests.hits, tests.users, last),
    )


def tenths(events: NDArray[np.int64]) -> list[str]:
    """Which tenth of the users each user is in by the number of events, int64[n], the most active
    last; equal numbers as users come.

    >>> tenths(np.arange(20))[::6]
    ['tenth 01', 'tenth 04', 'tenth 07', 'tenth 10']
    """
    place = np.empty(len(events), np.int64)
    place[np.argsort(events, kind="stable")] = np.arange(len(events))
    return [f"tenth {10 * at // len(events) + 1:02d}" for at in place.tolist()]


def _deviation(influence: Floats, users: NDArray[np.int64]) -> float:
    """The standard deviation of a sum, given what each test adds to it, float64[t], by users."""
    numbers = np.unique(users, return_inverse=True)[1]
    return float(np.sqrt((np.bincount(numbers, influence) ** 2).sum()))


def _around(value: float, influence: Floats, users: NDArray[np.int64]) -> Rate:
    half = quantile() * _deviation(influence, users)
    return Rate(float(value), float(value - half), float(value + half))
