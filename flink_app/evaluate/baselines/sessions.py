"""What followed, and sessions alike: rules of sequences, VS-kNN, STAN. Three of the baselines.

In: positive events with their times; a user is a session. Out: scores, float64[I].
"""

from __future__ import annotations

import copy
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, Shape
from flink_app.evaluate.baselines.neighbours import MOST_ITEMS
from flink_app.evaluate.baselines.session_kernels import (
    add_rules,
    add_sessions,
    last_items,
    sharing,
    similarities,
)
from udfs.errors import ConfigError

_TIE = 1e-9  # far below any score: popularity decides between equal ones only
_DAY_S = 86_400.0


class Log:
    """All events in order, as linked lists from the newest to the oldest, repeats too.

    Attributes:
        who, what: int32[n]. when: float64[n], seconds.
        last, last_of_item: int32[U], int32[I], the newest event of each, −1 for none.
        older, older_of_item: int32[n], the one before of the same user or item, −1 for none.
        of_item: int32[I], events of each.

    >>> log = Log(Shape(2, 2, 3))
    >>> log.add(0, 1, 5.0), log.add(1, 1, 6.0), log.add(0, 0, 7.0)
    (-1, -1, 0)
    """

    def __init__(self, shape: Shape) -> None:
        self.who = np.empty(shape.events, np.int32)
        self.what = np.empty(shape.events, np.int32)
        self.when = np.empty(shape.events)
        self.last = np.full(shape.users, -1, np.int32)
        self.last_of_item = np.full(shape.items, -1, np.int32)
        self.older = np.empty(shape.events, np.int32)
        self.older_of_item = np.empty(shape.events, np.int32)
        self.of_item = np.zeros(shape.items, np.int32)
        self._size = 0

    def add(self, user: int, item: int, when: float) -> int:
        """Note an event. Returns: the place of the user's event before, −1 for none."""
        place, before = self._size, int(self.last[user])
        self.who[place], self.what[place], self.when[place] = user, item, when
        self.older[place], self.last[user] = before, place
        self.older_of_item[place], self.last_of_item[item] = self.last_of_item[item], place
        self.of_item[item] += 1
        self._size += 1
        return before


class Rules(Baseline):
    """Rules of sequences (SR): score(i) = Σ 1/distance over all times that i followed the last.

    Distances count up to h events in one session; an item may follow itself. Equal scores are in
    order of popularity.

    Kamehkhosh, Jannach, Ludewig: A Comparison of Frequent Pattern Techniques and a Deep Learning
    Method for Session-Based Recommendation (2017), without pruning.

    Args:
        steps: h, ≥ 1; 10 as published.

    Raises:
        ConfigError: more items than pairs can be held of.
    """

    name: ClassVar[str] = "sr"

    def __init__(self, shape: Shape, seed: int = 1, *, steps: int = 10) -> None:
        if shape.items > MOST_ITEMS:
            raise ConfigError(
                f"--baseline {self.name} holds a rule for every pair of items, and of "
                f"{shape.items:,} items they are too many: leave it out, or evaluate at most "
                f"{MOST_ITEMS:,} items"
            )
        self._log, self._steps = Log(shape), steps
        self._rules = np.zeros((shape.items, shape.items), np.float32)

    def learn(self, user: int, item: int, value: float) -> None:
        """Strengthen the rules from the session's last items to this one."""
        log = self._log
        before = log.add(user, item, self.now)
        add_rules(before, item, log.what, log.older, self._steps, self._rules)

    def follow(self, user: int, item: int) -> None:
        """Go on in the session."""
        self._log.add(user, item, self.now)
        self._log.of_item[item] -= 1

    def scores(self, user: int) -> NDArray[np.float64]:
        """The rules of the last item."""
        log = self._log
        last = int(log.last[user])
        out = log.of_item * _TIE
        return out if last < 0 else out + self._rules[log.what[last]]


class Vsknn(Baseline):
    """VS-kNN: score(i) = Σ s(v) / j(v) over the k most similar sessions v that have i.

    s(v) = Σ p(a) / m over the items a shared with the running session, whose m distinct items have
    p(a) = 1 for the newest event of n, 1 − 1/n for the one before, and so on; j(v) is how many
    events back the newest shared item stands, 1 for the last. Only the sessions with the newest
    events that share an item are compared. Equal scores are in order of popularity.

    Ludewig, Jannach: Evaluation of Session-Based Recommendation Algorithms (2018), with linear
    weights of places and the harmonic ones of scores.

    Args:
        sessions: how many are compared, ≥ 1. neighbours: k, ≥ 1.
        recent: events of the running session that count, ≥ 1.
    """

    name: ClassVar[str] = "vsknn"

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        sessions: int = 500,
        neighbours: int = 100,
        recent: int = 50,
    ) -> None:
        # What was learned, and what users did: one while everything is learned.
        self._log = self._running = Log(shape)
        self._shape = shape
        self._sessions, self._neighbours, self._recent = sessions, neighbours, recent

    def learn(self, user: int, item: int, value: float) -> None:
        """Note the event: sessions are compared when a list is made."""
        self._log.add(user, item, self.now)

    def follow(self, user: int, item: int) -> None:
        """Go on in the session, with which no other is compared."""
        if self._running is self._log:
            self._running = copy.deepcopy(self._log)
        self._running.add(user, item, self.now)

    def scores(self, user: int) -> NDArray[np.float64]:
        """The sums over similar sessions."""
        log, own, size = self._log, self._running, self._shape.items
        out: NDArray[np.float64] = log.of_item * _TIE
        step_of = np.zeros(size, np.int32)
        length, items = last_items(user, own.what, own.last, own.older, self._recent, step_of)
        if length == 0:
            return out
        near = sharing(
            user, items, log.who, log.last, log.last_of_item, log.older_of_item, self._sessions
        )
        weight, similar = np.zeros(size), np.empty(len(near))
        weight[items] = self._places(step_of[items], length)
        fresh = np.full(size, -1, np.int32)
        lengths = similarities(near, log.what, log.last, log.older, weight, fresh, similar)
        similar = self._similar(similar, near, lengths, length, len(items))
        best = np.argsort(-similar, kind="stable")[: self._neighbours]
        fresh[:] = -1
        lists = log.what, log.last, log.older, step_of
        add_sessions(near[best], similar[best], *lists, self._decay(), self._inside(), fresh, out)
        return out

    def _places(self, steps: NDArray[np.int32], length: int) -> NDArray[np.float64]:
        """p of items that stand `steps` events back, of `length`."""
        weights: NDArray[np.float64] = (length - steps + 1.0) / length
        return weights

    def _similar(
        self,
        sums: NDArray[np.float64],
        near: NDArray[np.int32],
        lengths: NDArray[np.int32],
        length: int,
        items: int,
    ) -> NDArray[np.float64]:
        """s of sessions: their sums, float64[m], numbers and events, and the running one's."""
        return sums / items

    def _decay(self) -> NDArray[np.float64]:
        """The factor by j, float64[recent + 1]; there is no j of 0."""
        return 1.0 / np.maximum(np.arange(self._recent + 1.0), 1.0)

    def _inside(self) -> float:
        """λ of the distance inside a session, events; 0 for none."""
        return 0.0


class Stan(Vsknn):
    """STAN: score(i) = Σ s(v) · exp(−d/λ₃) over the k most similar sessions v that have i.

    s(v) = Σ exp(−(j(a) − 1)/λ₁) / √(n nᵥ) · exp(−t/λ₂) over the shared items a, j(a) events back
    in the running session of n events; nᵥ events has v, whose last was t days ago; d events lie in
    v between i and the shared item with the least j. Equal scores are in order of popularity.

    Garg et al.: Sequence and Time Aware Neighborhood for Session-based Recommendations (2019).

    Args:
        sessions, neighbours, recent: as of `Vsknn`.
        places: λ₁, events, > 0. days: λ₂, > 0. inside: λ₃, events, > 0.
    """

    name: ClassVar[str] = "stan"

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        sessions: int = 2000,
        neighbours: int = 500,
        recent: int = 50,
        places: float = 1.02,
        days: float = 5.0,
        inside: float = 2.05,
    ) -> None:
        super().__init__(shape, seed, sessions=sessions, neighbours=neighbours, recent=recent)
        self._by_place, self._days, self._near = places, days, inside

    def _places(self, steps: NDArray[np.int32], length: int) -> NDArray[np.float64]:
        weights: NDArray[np.float64] = np.exp(-(steps - 1.0) / self._by_place)
        return weights

    def _similar(
        self,
        sums: NDArray[np.float64],
        near: NDArray[np.int32],
        lengths: NDArray[np.int32],
        length: int,
        items: int,
    ) -> NDArray[np.float64]:
        log = self._log
        ago = np.maximum(self.now - log.when[log.last[near]], 0.0) / _DAY_S
        similar: NDArray[np.float64] = (
            sums / np.sqrt(float(length) * lengths) * np.exp(-ago / self._days)
        )
        return similar

    def _decay(self) -> NDArray[np.float64]:
        return np.ones(self._recent + 1)

    def _inside(self) -> float:
        return self._near
