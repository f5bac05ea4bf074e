"""Test, then learn, for a baseline: the same protocol and measures as the job's own lists.

In: a `Stream` and a `Baseline`. Out: a `Result` with its list as `served`. As in
`udfs.learning.quality`, all items met so far are candidates less those that the user has consumed,
a user's first event is not a test, and an item seen for the first time is a miss.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from flink_app.evaluate.baselines import Baseline, Shape
from flink_app.evaluate.baselines.base import History
from flink_app.evaluate.baselines.kernels import best
from flink_app.evaluate.measure import curve
from flink_app.evaluate.results import Result
from flink_app.evaluate.stream import Stream
from udfs.accounts import means
from udfs.learning.quality import sums
from udfs.learning.quality_kernels import TOP


class Rule(NamedTuple):
    """When events are tests: after so many have been learned; and whether no more are then."""

    warmup: int = 0
    freeze: bool = False


_EVERY = Rule()
_LOOKS = 200  # at the sums so far, from which the curve is made


class Prequential:
    """One pass of a stream through a baseline.

    Attributes:
        totals: sums of measures by `served:<measure>`, and counts.
    """

    def __init__(
        self,
        stream: Stream,
        baseline: Baseline,
        length: int,
        exclude_consumed: bool = True,
        rule: Rule = _EVERY,
    ) -> None:
        """Prepare.

        Args:
            length: of a list. exclude_consumed: whether a list leaves out what a user consumed.
            rule: when events are tests.
        """
        self._stream, self._baseline = stream, baseline
        self._exclude, self._warmup, self._freeze = exclude_consumed, *rule
        self._known = np.zeros(stream.shape.items, np.bool_)
        self._shown = np.zeros(stream.shape.items, np.bool_)
        self._of_item = np.zeros(stream.shape.items)
        self._of_user = np.zeros(stream.shape.users, np.int64)
        self._consumed = History(stream.shape)
        self._list = np.empty(length, np.int32)
        self._errors: list[float] = []
        self._spent = {"update": 0.0, "list": 0.0}
        self._updates = self._lists = self._events = 0
        self.totals: dict[str, float] = {}

    def run(self, seed: int, progress: Callable[[int], None] = lambda done: None) -> Result:
        """Pass all events through. `progress` is called with the number of those that count."""
        self._compile()
        began, looks = time.perf_counter(), []
        look = max(1, int(self._stream.counted.sum()) // _LOOKS)
        for event in range(self._stream.shape.events):
            self._baseline.now = float(self._stream.times[event])
            if self._stream.counted[event]:
                if self._events == self._warmup:
                    self._begin()
                self._test(event)
                self._note(event)
                if self._events % look == 0:
                    looks.append((self._events, means(self.totals)))
                    progress(self._events)
            self._learn(event)
        quality = means(self.totals)
        if self._lists:
            quality[f"served:coverage@{TOP}"] = float(self._shown.sum() / self._known.sum())
        per = {"update": self._updates, "list": self._lists}
        return Result(
            model=self._baseline.name,
            mode="strict",
            seed=seed,
            events=self._events,
            seconds=round(time.perf_counter() - began, 1),
            quality=quality,
            curve=curve([*looks, (self._events, quality)]),
            microseconds={
                name: round(1e6 * spent / max(per[name], 1), 1)
                for name, spent in self._spent.items()
            },
            rmse=float(np.sqrt(np.mean(np.square(self._errors)))) if self._errors else None,
        )

    def _compile(self) -> None:
        """Compile the kernels before time is taken: of an update on a model of its own."""
        small = type(self._baseline)(Shape(1, 2, 2))
        small.learn(0, 0, 1.0)
        small.learn(0, 1, 1.0)
        small.begin_tests()
        small.scores(0)
        self._rank(0)
        self._lists, self._spent["list"] = 0, 0.0

    def _begin(self) -> None:
        """Let the model end what it learns from the warm-up, in the time of its updates."""
        began = time.perf_counter()
        self._baseline.begin_tests()
        self._spent["update"] += time.perf_counter() - began

    def _test(self, event: int) -> None:
        """Test an event that is positive, if there can be a list for its user."""
        stream = self._stream
        user, item = int(stream.users[event]), int(stream.items[event])
        if stream.weights[event] <= 0 or self._events < self._warmup:
            return
        if not self._of_user[user]:
            self._add("unknown_users", 1.0)
            return
        if self._exclude and (user, item) in self._consumed:
            self._add("repeats", 1.0)
            return
        known = bool(self._known[item])
        self._add("new_items", float(not known))
        self._rank(user)
        shares = np.maximum(self._of_item, 1.0) / self._events
        wanted = np.array([item if known else -1], np.int32)
        for name, value in sums(self._list[None], wanted, shares).items():
            self._add(f"served:{name}", value)
        top = self._list[:TOP]
        self._shown[top[top >= 0]] = True

    def _rank(self, user: int) -> None:
        """Make the user's list, and take the time."""
        began, old = time.perf_counter(), self._consumed
        scores = self._baseline.scores(user)
        chain = old.last_of_user, old.older_of_user, old.what
        best(scores, self._known, user, self._exclude, *chain, self._list)
        self._spent["list"] += time.perf_counter() - began
        self._lists += 1

    def _note(self, event: int) -> None:
        """Note what does not depend on the model: known users and items, and what is consumed."""
        stream = self._stream
        user, item = int(stream.users[event]), int(stream.items[event])
        self._known[item] = True
        self._of_item[item] += 1
        self._of_user[user] += 1
        self._events += 1
        if stream.consumed[event]:
            self._consumed.add(user, item)

    def _learn(self, event: int) -> None:
        """Teach the event if the model learns from such; predict it first if it is a rating."""
        stream, baseline = self._stream, self._baseline
        user, item = int(stream.users[event]), int(stream.items[event])
        value = float(stream.weights[event])
        if baseline.explicit:
            value = float(stream.ratings[event])
            if np.isnan(value):
                return
            if self._events - int(stream.counted[event]) >= self._warmup:
                self._errors.append(value - baseline.predict(user, item))
        elif not stream.counted[event] or value <= 0:
            return
        if self._freeze and self._events - int(stream.counted[event]) >= self._warmup:
            baseline.follow(user, item)
            return
        began = time.perf_counter()
        baseline.learn(user, item, value)
        self._spent["update"] += time.perf_counter() - began
        self._updates += 1

    def _add(self, name: str, value: float) -> None:
        self.totals[name] = self.totals.get(name, 0.0) + value
