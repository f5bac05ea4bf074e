"""The network of GRU4Rec: a step of its unit, its loss, and their gradients, written out.

In: items that sessions had one after the other. Out: parameters that predict the next one. Names
of sizes: `I` items, `d` of the hidden state, `n` sessions side by side, `k` negatives.

The gradient ends with the step, as published: the state before it is taken as given. So it is a
dozen products of matrices, in NumPy at least twice as fast as in PyTorch on one core.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-6  # of Adagrad

Floats = NDArray[np.floating[Any]]
"""float32 in use; float64 where a test compares gradients with differences."""


class Unit(NamedTuple):
    """Parameters of a gated recurrent unit, or their gradients.

    r = σ(x·W + h·U + b + c), z alike, m = tanh(x·W + b + r (h·U + c)), h ← (1 − z) m + z h, each
    with columns of its own: those of r, z and m stand one after the other.

    Cho et al.: Learning Phrase Representations using RNN Encoder-Decoder (2014), in the form that
    PyTorch's `GRUCell` has.

    Attributes:
        of_input, of_state: float32[d, 3d], W and U.
        input_bias, state_bias: float32[3d], b and c.
    """

    of_input: Floats
    of_state: Floats
    input_bias: Floats
    state_bias: Floats


class Trace(NamedTuple):
    """What the gradient of a step needs, each float32[n, d].

    Attributes:
        inputs, before: x, and h before the step. reset, update, fresh: r, z and m.
        recalled: h·U + c of m.
    """

    inputs: Floats
    before: Floats
    reset: Floats
    update: Floats
    fresh: Floats
    recalled: Floats


def advance(unit: Unit, inputs: Floats, before: Floats) -> tuple[Floats, Trace]:
    """h after a step, float32[n, d], and how it came about.

    >>> none = Unit(np.zeros((1, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3))
    >>> advance(none, np.ones((1, 1)), np.ones((1, 1)))[0].tolist()  # z is a half, m is 0
    [[0.5]]
    """
    given = np.split(inputs @ unit.of_input + unit.input_bias, 3, axis=1)
    kept = np.split(before @ unit.of_state + unit.state_bias, 3, axis=1)
    reset, update = (sigmoid(given[gate] + kept[gate]) for gate in (0, 1))
    fresh = np.tanh(given[2] + reset * kept[2])
    after = fresh + update * (before - fresh)
    return after, Trace(inputs, before, reset, update, fresh, kept[2])


def retrace(unit: Unit, trace: Trace, slope: Floats) -> tuple[Unit, Floats]:
    """The gradient of a step from that of its result.

    Args:
        slope: float32[n, d], of the loss by h after the step.

    Returns:
        The gradients of the parameters and of x, float32[n, d]; not of h before.
    """
    inputs, before, reset, update, fresh, recalled = trace
    of_fresh = slope * (1.0 - update) * (1.0 - fresh * fresh)
    of_update = slope * (before - fresh) * update * (1.0 - update)
    of_reset = of_fresh * recalled * reset * (1.0 - reset)
    given = np.hstack([of_reset, of_update, of_fresh])
    kept = np.hstack([of_reset, of_update, of_fresh * reset])
    found = Unit(inputs.T @ given, before.T @ kept, given.sum(axis=0), kept.sum(axis=0))
    return found, given @ unit.of_input.T


def sigmoid(x: Floats) -> Floats:
    """1 / (1 + exp(−x)), by tanh, which cannot overflow."""
    result: Floats = 0.5 * np.tanh(0.5 * x) + 0.5
    return result


class Slopes(NamedTuple):
    """The gradient of a loss.

    Attributes:
        unit: of the unit's parameters.
        rows: int64[2n + k], rows of `Network.items`, some of them more than once.
        of_rows: float32[2n + k, d + 1], what each of them adds.
    """

    unit: Unit
    rows: NDArray[np.int64]
    of_rows: Floats


class Network:
    """score(i) = q(i)·h + b(i), where h ← GRU(q of each item of a session, h).

    Attributes:
        items: float32[I, d + 1], q and, in the last column, b.
        unit: the GRU.
    """

    def __init__(self, items: int, size: int, random: np.random.Generator) -> None:
        """Draw the parameters, uniform within ±√(6 / (rows + columns)) of a matrix; biases are 0.

        Args:
            items: I. size: d, ≥ 1.
        """

        def drawn(rows: int, columns: int) -> Floats:
            spread = np.sqrt(6.0 / (rows + columns))
            values: Floats = random.uniform(-spread, spread, (rows, columns)).astype(np.float32)
            return values

        self.items: Floats = np.hstack([drawn(items, size), np.zeros((items, 1), np.float32)])
        into, over = (np.hstack([drawn(size, size) for _ in range(3)]) for _ in range(2))
        self.unit = Unit(into, over, *np.zeros((2, 3 * size), np.float32))
        self._squares = [np.zeros_like(each) for each in (self.items, *self.unit)]

    def loss(
        self,
        given: NDArray[np.int64],
        columns: NDArray[np.int64],
        weights: Floats,
        before: Floats,
        kept: Floats,
    ) -> tuple[float, Floats, Slopes]:
        """Cross-entropy of the next items among those of the other sessions and the negatives.

        L = −Σ log softmax(q·h + b − log w), of which row s has column s as its next item.

        Args:
            given: int64[n], the items of this step. columns: int64[n + k], the next items of the n
                sessions, then negatives. weights: float32[n + k], log w, with w what the item is
                drawn by as such a column. before: float32[n, d], h before.
            kept: float32[n, d], by what dropout multiplies h.

        Returns:
            L, h after, float32[n, d], of which dropout has left a part, and the gradient of L.
        """
        n, places = len(given), np.arange(len(given))
        after, trace = advance(self.unit, self.items[given, :-1], before)
        after = after * kept
        wide = np.hstack([after, np.ones_like(after[:, :1])])  # times b
        vectors = self.items[columns]
        slope = wide @ vectors.T - weights
        slope -= slope.max(axis=1, keepdims=True)
        right = slope[places, places]
        np.exp(slope, out=slope)
        sums = slope.sum(axis=1, keepdims=True)
        loss = float((np.log(sums[:, 0]) - right).sum())
        slope /= sums
        slope[places, places] -= 1.0
        of_unit, of_inputs = retrace(self.unit, trace, (slope @ vectors[:, :-1]) * kept)
        of_rows = np.zeros((n + len(columns), self.items.shape[1]), self.items.dtype)
        of_rows[:n, :-1] = of_inputs
        np.matmul(slope.T, wide, out=of_rows[n:])
        return loss, after, Slopes(of_unit, np.concatenate([given, columns]), of_rows)

    def descend(self, slopes: Slopes, rate: float, share: float) -> None:
        """Take a step of Adagrad: s ← s + g², x ← x − η g / (√s + ε).

        Duchi, Hazan, Singer: Adaptive Subgradient Methods for Online Learning and Stochastic
        Optimization (2011).

        Args:
            rate: η, > 0. share: by what the gradients are multiplied, > 0.
        """
        rows, sums = summed(slopes.rows, slopes.of_rows)
        sums *= share
        squares = self._squares[0][rows] + sums * sums
        self._squares[0][rows] = squares
        self.items[rows] -= rate * sums / (np.sqrt(squares) + _EPSILON)
        for value, squares, slope in zip(self.unit, self._squares[1:], slopes.unit, strict=True):
            step = share * slope
            squares += step * step
            value -= rate * step / (np.sqrt(squares) + _EPSILON)

    def read(self, items: Sequence[int], state: Floats | None = None) -> Floats:
        """h after some more items of a session, float32[1, d]; without a state it begins."""
        if state is None:
            state = np.zeros_like(self.items[:1, :-1])
        for item in items:
            state, _ = advance(self.unit, self.items[item : item + 1, :-1], state)
        return state

    def scores(self, state: Floats) -> NDArray[np.float64]:
        """q·h + b of all items, float64[I], from h, float32[1, d]."""
        found: Floats = self.items[:, :-1] @ state[0] + self.items[:, -1]
        scores: NDArray[np.float64] = found.astype(np.float64)
        return scores


def summed(rows: NDArray[np.int64], values: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Distinct rows, int64[m] in order, and the sum of the values of each, float32[m, d].

    >>> summed(np.array([3, 1, 3]), np.array([[1.0], [2.0], [4.0]]))[1].tolist()
    [[2.0], [5.0]]
    """
    order = np.argsort(rows, kind="stable")
    distinct, begins = np.unique(rows[order], return_index=True)
    return distinct, np.add.reduceat(values[order], begins, axis=0)
