"""How sessions of simulated users go: how long, when each action happens, and which is chosen.

In: a seeded generator, scores or lengths. Out: choices, moments in steps of browsing (one step
passes between two views of a session), and blocks of actions in order of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions, joined
from flink_app.simulator.truth import first_click

A = TypeVar("A", bound=Actions)
T = TypeVar("T")

LONGEST = 60
"""Views of the longest session."""

_LARGEST_BLOCK = 1024  # sessions started at once


def regulars(users: int) -> int:
    """How many users start a session in a block, besides the newcomers: an eighth of all.

    >>> regulars(3), regulars(800), regulars(10**6)
    (1, 100, 1024)
    """
    return min(max(1, users // 8), _LARGEST_BLOCK)


class Due:
    """How often something is due that happens at a rate per event, such as a user's arrival.

    >>> due = Due(0.5)
    >>> due.passed(3)
    >>> due.take(), due.take()
    (1, 0)
    """

    def __init__(self, rate: float) -> None:
        self._rate, self._sum = rate, 0.0

    def passed(self, events: int) -> None:
        """Note that so many events have happened."""
        self._sum += self._rate * events

    def take(self) -> int:
        """How often it happens now; what is less than once waits."""
        count = int(self._sum)
        self._sum -= count
        return count


def gaps(rng: np.random.Generator, traffic: float, count: int) -> NDArray[np.float64]:
    """Simulated milliseconds between the next `count` events: a Poisson process of `traffic`
    events per second. Returns (count,) float64."""
    found: NDArray[np.float64] = 1000.0 / traffic * rng.standard_exponential(count)
    return found


def taken(
    rng: np.random.Generator, probabilities: NDArray[np.float64], items: Sequence[T]
) -> T | None:
    """The item that a user takes of a list, best first, or None; see `first_click`.

    probabilities: (len(items),) float64, of taking each item that is looked at.
    """
    position = first_click(probabilities, rng.random((2, len(items))))
    return None if position is None else items[position]


def lengths(rng: np.random.Generator, sessions: int, mean: float) -> NDArray[np.int64]:
    """How many views each session has, (sessions,) int64 from 1 to `LONGEST`: geometric, of this
    mean before it is cut."""
    return np.minimum(rng.geometric(1.0 / mean, sessions), LONGEST)


def pick(rng: np.random.Generator, scores: NDArray[np.float32]) -> NDArray[np.int64]:
    """A column per row with P ∝ exp(score): the Gumbel-max draw, written as a race of Exp(1).

    scores: (n, k) float32, finite. Returns (n,) int64, 0 to k − 1.
    """
    race = rng.standard_exponential(scores.shape, np.float32)
    winners: NDArray[np.int64] = np.argmin(race * np.exp(-scores), axis=1)
    return winners


def moments(
    rng: np.random.Generator, lengths: NDArray[np.int64], spread: float
) -> NDArray[np.float64]:
    """When each view happens: sessions start within `spread` steps, views follow 0.5 + Exp(0.5).

    lengths: (n,) int64, at least 1. Returns (sum of lengths,) float64 steps.
    """
    starts = rng.random(len(lengths)) * spread
    gaps = 0.5 + 0.5 * rng.standard_exponential(int(lengths.sum()))
    passed = np.cumsum(gaps)
    heads = np.cumsum(lengths) - lengths
    found: NDArray[np.float64] = passed + np.repeat(starts - passed[heads], lengths)
    return found


class Ahead(Generic[A]):
    """Actions that are still to come, of sessions that go on after a block.

    Args:
        none: no actions, of the world's class.
    """

    def __init__(self, none: A) -> None:
        self._open, self._moments = none, np.empty(0, np.float64)

    @property
    def users(self) -> NDArray[np.int64]:
        """Those who are in a session, int64 numbers, ascending."""
        busy: NDArray[np.int64] = np.unique(self._open.users)
        return busy

    def block(self, started: A, moments: NDArray[np.float64], span: float) -> A:
        """The actions of the next `span` steps, in order of time; the others wait.

        started: those of new sessions. moments: when each of these happens, in steps from now.
        """
        moments = np.concatenate([self._moments, moments])
        order = np.argsort(moments, kind="stable")
        ended = int(np.searchsorted(moments[order], span))
        actions = joined(self._open, started).take(order)
        self._open = actions.take(slice(ended, None))
        self._moments = moments[order][ended:] - span
        return actions.take(slice(0, ended))
