"""GRU4Rec, a recurrent network over sessions. One of `flink_app.evaluate.baselines`.

In: positive events; a user is a session. Out: scores, float64[I], of the network as the warm-up has
trained it.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heapreplace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, Shape
from flink_app.evaluate.baselines.recurrent import Floats, Network

_WIDTH = 32  # sessions side by side, as published


class Gru4rec(Baseline):
    """GRU4Rec: score(i) = q(i)·h + b(i), where h ← GRU(q of each item of the session, h).

    h is 0 where a session begins. When the warm-up is over, the network is trained on its
    sessions in epochs; from then on nothing is learned, and sessions only go on. A session of
    which nothing is trained gets the popular items of the warm-up, and no list has items that are
    not trained.

    Hidasi, Karatzoglou: Recurrent Neural Networks with Top-k Gains for Session-based
    Recommendations (2018), with one embedding of items for input and output; settings and the
    correction by log q are those that its authors published for RSC15 in 2023, except for their
    momentum of 0.2: Adagrad has none here.

    Args:
        size: d, ≥ 1. epochs: over the warm-up, ≥ 1. rate: η of Adagrad, > 0.
        dropout: share of h that is 0 in a step of training, 0 to below 1.
        negatives: drawn for each step, ≥ 1.
        alpha: power of an item's count by which they are drawn, > 0.
    """

    name: ClassVar[str] = "gru4rec"
    seeded: ClassVar[bool] = True
    once: ClassVar[bool] = True

    def __init__(
        self,
        shape: Shape,
        seed: int = 1,
        *,
        size: int = 100,
        epochs: int = 10,
        rate: float = 0.2,
        dropout: float = 0.4,
        negatives: int = 2048,
        alpha: float = 0.5,
    ) -> None:
        self._random = np.random.default_rng(seed)
        self._size, self._epochs, self._rate, self._dropout = size, epochs, rate, dropout
        self._negatives, self._alpha = negatives, alpha
        self._sessions: dict[int, list[int]] = {}
        self._of_item = np.zeros(shape.items, np.int64)
        self._network: Network | None = None
        self._states: dict[int, tuple[int, Floats]] = {}  # events read so far, and h after them

    def learn(self, user: int, item: int, value: float) -> None:
        """Note the event: the sessions so far are learned when the tests begin."""
        self.follow(user, item)
        if self._network is None:
            self._of_item[item] += 1

    def follow(self, user: int, item: int) -> None:
        """Go on in the session."""
        self._sessions.setdefault(user, []).append(item)

    def begin_tests(self) -> None:
        """Train the network, if any session has two events."""
        steps = lanes(list(self._sessions.values()), _WIDTH)
        if len(steps.given):
            self._network = Network(len(self._of_item), self._size, self._random)
            for _ in range(self._epochs):
                self._epoch(self._network, steps)

    def _epoch(self, network: Network, steps: Steps) -> None:
        """Descend a step after each row of events. h goes on, its gradient does not."""
        logs = np.log(np.maximum(self._of_item, 1)).astype(np.float32)
        sums = np.cumsum(self._of_item**self._alpha)
        left = 1.0 - self._dropout
        state = np.zeros((_WIDTH, self._size), np.float32)
        for given, wanted, first in zip(*steps, strict=True):
            n = np.count_nonzero(given >= 0)
            state = np.where(first[:n, None], np.float32(0.0), state[:n])
            negatives = drawn(sums, self._negatives, self._random)
            columns = np.concatenate([wanted[:n], negatives])
            weights = logs[columns]
            weights[n:] *= self._alpha
            kept = np.less(self._random.random(state.shape), left) / np.float32(left)
            _, state, slopes = network.loss(given[:n], columns, weights, state, kept)
            network.descend(slopes, self._rate, 1.0 / _WIDTH)

    def scores(self, user: int) -> NDArray[np.float64]:
        """q·h + b, or counts."""
        session, network = self._sessions.get(user, []), self._network
        if network is None or not self._of_item[session].any():
            return self._of_item.astype(np.float64)
        read, state = self._states.get(user, (0, None))
        fresh = [item for item in session[read:] if self._of_item[item]]
        state = network.read(fresh, state)
        self._states[user] = len(session), state
        return np.where(self._of_item > 0, network.scores(state), -np.inf)


class Steps(NamedTuple):
    """What is trained in one epoch, T steps of `width` sessions side by side.

    Attributes:
        given, wanted: int64[T, width], an item and the one after it; −1 where a lane has ended.
        first: bool[T, width], whether a session begins.
    """

    given: NDArray[np.int64]
    wanted: NDArray[np.int64]
    first: NDArray[np.bool_]


def lanes(sessions: Sequence[Sequence[int]], width: int) -> Steps:
    """Lay sessions side by side: each lane takes the next one when its own has ended.

    The longest lane comes first, so that those that go on are always the first ones. Sessions of
    one event have nothing to predict, and are left out.

    >>> steps = lanes([[1, 2, 3], [4, 5], [6, 7]], 2)
    >>> steps.given.tolist(), steps.wanted.tolist()
    ([[1, 4], [2, 6]], [[2, 5], [3, 7]])
    >>> steps.first.tolist()
    [[True, True], [False, True]]
    """
    ends = [(0, lane) for lane in range(width)]
    taken: list[list[Sequence[int]]] = [[] for _ in range(width)]
    heapify(ends)
    for session in sessions:
        if len(session) > 1:
            end, lane = ends[0]
            taken[lane].append(session)
            heapreplace(ends, (end + len(session) - 1, lane))
    order = sorted(ends, key=lambda each: (-each[0], each[1]))
    most = order[0][0]
    given, wanted = np.full((most, width), -1), np.full((most, width), -1)
    first = np.zeros((most, width), np.bool_)
    for column, (_, lane) in enumerate(order):
        at = 0
        for session in taken[lane]:
            upto = at + len(session) - 1
            given[at:upto, column], wanted[at:upto, column] = session[:-1], session[1:]
            first[at, column] = True
            at = upto
    return Steps(given, wanted, first)


def drawn(sums: NDArray[np.float64], count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Items drawn by weights of which `sums`, float64[I], are running sums: int64[count]."""
    found: NDArray[np.int64] = np.searchsorted(sums, random.random(count) * sums[-1], side="right")
    return found
