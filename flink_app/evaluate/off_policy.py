"""What another order of lists would have been worth, from lists as they were served.

In: what was ranked for n users at a moment, where each candidate stood and with which probability,
what was taken next; and the places that a policy would have given them. Out: the clicks per list of
that policy, by three estimates with intervals.

A user looks at place k with probability e(k) = ρ^(k − 1) and takes what is there with a probability
that depends on the two alone (the examination hypothesis). Let a list of the log have item a with
probability p, and have it at place k, and the policy at place m; e(0) = 0 where it has it at none.
Then

    w = e(m) / (p · e(k))
    IPS    mean over lists of Σ w · r            r = 1 if the user took a next, otherwise 0
    SNIPS  IPS · Σ e(m) of all that the policy lists / Σ w · e(k) of what the log listed
    DR     mean over lists of Σ e(m) · q + Σ w · (r − e(k) · q)

with q what a linear model of the features expects of an item that is looked at, fitted to the other
half of the users. IPS (Horvitz, Thompson 1952) knows nothing of items that no list of the log had:
they count as if nobody took them. SNIPS (Swaminathan, Joachims 2015) takes them to be like those
that it knows. DR (Dudík, Langford, Li 2011) asks the model, and needs either it or the
probabilities to be right.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ConfigError

_Z = 1.959964  # of 95 %
_RIDGE = 1.0
_LEAST = 30  # lists: with fewer, an interval means nothing


class Logged(NamedTuple):
    """c candidates of n lists, one list after the other.

    Attributes:
        lists: int64[c], the list of each, from 0 to n − 1. users: int64[n], whose they are.
        place: int64[c], from 1; 0: it was not in the list. chance: float64[c], in (0, 1], of the
            item's being there. taken: bool[c]. features: float64[c, F].
    """

    lists: NDArray[np.int64]
    users: NDArray[np.int64]
    place: NDArray[np.int64]
    chance: NDArray[np.float64]
    taken: NDArray[np.bool_]
    features: NDArray[np.float64]


class Estimate(NamedTuple):
    """Clicks per list, with a 95 % interval over users."""

    value: float
    low: float
    high: float


class Estimates(NamedTuple):
    """What a policy is worth.

    Attributes:
        logged: the clicks per list that were. known: which share of what the policy shows, by how
            likely it is looked at, lists of the log had, too.
    """

    logged: Estimate
    ips: Estimate
    snips: Estimate
    dr: Estimate
    known: float


def estimates(log: Logged, wanted: NDArray[np.int64], patience: float) -> Estimates:
    """See the module.

    Args:
        wanted: int64[c], the places that the policy gives, from 1; 0: none.
        patience: ρ, 0 to 1.

    Raises:
        ConfigError: there are too few lists.
    """
    n = len(log.users)
    if n < _LEAST or not (log.place > 0).any():
        raise ConfigError(
            f"the log has {n} lists of which places are known: at least {_LEAST} are needed, so "
            "let the job write for longer, or raise ranker.sample."
        )

    def by_list(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(log.lists, values, n).astype(np.float64)

    was, would = looked_at(log.place, patience), looked_at(wanted, patience)
    shown = was > 0
    weight = np.zeros(len(was))
    weight[shown] = would[shown] / (log.chance[shown] * was[shown])
    reward = log.taken.astype(np.float64)
    likes = expected(log, was)
    ips = by_list(weight * reward)
    listed, found = by_list(would), by_list(weight * was)
    model = by_list(would * likes + weight * (reward - was * likes))
    scale = listed.sum() / found.sum() if found.any() else np.nan
    spread = scale * (ips - found * (ips.sum() / found.sum())) if found.any() else ips * np.nan
    plain = of_users(ips, log.users)
    at = plain.value * scale
    half = _Z * _error(spread, log.users)
    known = float((would * shown).sum() / max(would.sum(), 1e-300))
    return Estimates(
        of_users(by_list(reward * shown), log.users),
        plain,
        Estimate(float(at), float(at - half), float(at + half)),
        of_users(model, log.users),
        known,
    )


def looked_at(place: NDArray[np.int64], patience: float) -> NDArray[np.float64]:
    """e(k) of places from 1, 0 for none.

    >>> looked_at(np.array([0, 1, 3]), 0.5).tolist()
    [0.0, 1.0, 0.25]
    """
    return np.where(place > 0, patience ** np.maximum(place - 1.0, 0.0), 0.0)


def expected(log: Logged, was: NDArray[np.float64]) -> NDArray[np.float64]:
    """How likely each candidate is taken once it is looked at, float64[c], by ridge regression on
    the features of items in lists of the other half of the users.

    Args:
        was: float64[c], e(k).
    """
    x = np.column_stack([np.ones(len(was)), np.nan_to_num(_scaled(log.features))])
    half, found = (log.users % 2)[log.lists], np.zeros(len(was))
    for part in (0, 1):
        fit = (half != part) & (was > 0)
        # r / e(k) has the mean q, and a variance of about q / e(k).
        a = x[fit] * np.sqrt(was[fit])[:, None]
        b = log.taken[fit] / np.sqrt(was[fit])
        ridge = _RIDGE * np.eye(x.shape[1])
        ridge[0, 0] = 1e-9
        found[half == part] = x[half == part] @ np.linalg.solve(a.T @ a + ridge, a.T @ b)
    return found.clip(0.0, 1.0)


def of_users(values: NDArray[np.float64], users: NDArray[np.int64]) -> Estimate:
    """The mean over lists, float64[n], whose users are the observations.

    >>> of_users(np.array([0.0, 1.0, 1.0, 0.0]), np.array([0, 1, 2, 3])).value
    0.5
    """
    mean, half = float(values.mean()), _Z * _error(values - values.mean(), users)
    return Estimate(mean, mean - half, mean + half)


def _error(deviations: NDArray[np.float64], users: NDArray[np.int64]) -> float:
    """The standard error of a mean over lists, of which users are drawn."""
    of_each = np.bincount(users, deviations)
    return float(np.sqrt(of_each @ of_each)) / len(deviations)


def _scaled(features: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = features.std(axis=0)
    found: NDArray[np.float64] = features - features.mean(axis=0)
    found /= np.where(deviation > 0, deviation, 1.0)
    return found
