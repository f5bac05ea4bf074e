"""GRU4Rec, a recurrent network over sessions. One of `flink_app.evaluate.baselines`.

In: positive events; a user is a session. Out: scores, float64[I], of the network as the warm-up has
trained it. PyTorch comes with the extra `torch`. Names of sizes: `I` items, `d` of the hidden
state, `n` sessions side by side, `k` negatives.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from importlib.util import find_spec
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.baselines.base import Baseline, Shape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

_WIDTH = 32  # sessions side by side, as published
_EPSILON = 1e-6  # of Adagrad


class Gru4rec(Baseline):
    """GRU4Rec: score(i) = q(i)·h + b(i), where h ← GRU(q of each item of the session, h).

    h is 0 where a session begins. When the warm-up is over, the network is trained on its
    sessions in epochs; from then on nothing is learned, and sessions only go on. A session of
    which nothing is trained gets the popular items of the warm-up, and no list has items that are
    not trained.

    Hidasi, Karatzoglou: Recurrent Neural Networks with Top-k Gains for Session-based
    Recommendations (2018), with one embedding of items for input and output; settings and the
    correction by log q are those that its authors published for RSC15 in 2023, but Adagrad has no
    momentum: theirs, of 0.2, made no difference.

    Args:
        size: d, ≥ 1. epochs: over the warm-up, ≥ 1. rate: η of Adagrad, > 0.
        dropout: share of h that is 0 in a step of training, 0 to below 1.
        negatives: drawn for each step, ≥ 1. alpha: power of an item's count by which they are.
    """

    name: ClassVar[str] = "gru4rec"
    seeded: ClassVar[bool] = True

    @classmethod
    def lacks(cls, warmup: bool) -> str:
        """Why it cannot run: it needs PyTorch and a warm-up."""
        if not warmup:
            return "is trained once, on the warm-up: say how long that is, such as --warmup half"
        if find_spec("torch") is None:
            return (
                "needs PyTorch, which is not installed: pip install 'torch>=2.4', or millirec "
                "with its extra, '.[torch]'"
            )
        return ""

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
        self._seed, self._size, self._epochs = seed, size, epochs
        self._rule = Rule(rate, dropout, negatives, alpha)
        self._sessions: dict[int, list[int]] = {}
        self._of_item = np.zeros(shape.items, np.int64)
        self._network: Network | None = None
        self._states: dict[int, tuple[int, Tensor]] = {}  # events read so far, and h after them

    def learn(self, user: int, item: int, value: float) -> None:
        """Note the event: the sessions so far are learned when the tests begin."""
        self.follow(user, item)
        if self._network is None:
            self._of_item[item] += 1

    def follow(self, user: int, item: int) -> None:
        """Go on in the session."""
        self._sessions.setdefault(user, []).append(item)

    def begin_tests(self) -> None:
        """Train the network."""
        steps = lanes(list(self._sessions.values()), _WIDTH)
        if len(steps.given):
            self._network = Network(self._of_item, self._size, self._seed)
            self._network.train(steps, self._epochs, self._rule)

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


class Rule(NamedTuple):
    """How a network is trained; see `Gru4rec`."""

    rate: float
    dropout: float
    negatives: int
    alpha: float


class Network:
    """The network, in PyTorch.

    Attributes:
        items: float32[I, d], q. bias: float32[I, 1], b. cell: the GRU, d to d.
    """

    def __init__(self, counts: NDArray[np.int64], size: int, seed: int) -> None:
        """Draw the parameters, uniform within ±√(6 / (rows + columns)) of a matrix; biases are 0.

        Args:
            counts: int64[I], events of each item.
        """
        import torch

        self._random = torch.Generator().manual_seed(seed)
        self._counts = torch.tensor(counts, dtype=torch.float64)

        def drawn(rows: int, columns: int) -> Tensor:
            spread = (6.0 / (rows + columns)) ** 0.5
            return (2.0 * torch.rand(rows, columns, generator=self._random) - 1.0) * spread

        self.items = drawn(len(counts), size).requires_grad_()
        self.bias = torch.zeros(len(counts), 1, requires_grad=True)
        self.cell = torch.nn.GRUCell(size, size)
        with torch.no_grad():
            for weights in (self.cell.weight_ih, self.cell.weight_hh):
                weights.copy_(torch.cat([drawn(size, size) for _ in range(3)]))
            self.cell.bias_ih.zero_()
            self.cell.bias_hh.zero_()

    def train(self, steps: Steps, epochs: int, rule: Rule) -> None:
        """Descend a step after each column of events. h goes on, its gradient does not."""
        import torch

        given, wanted, first = (torch.from_numpy(each) for each in steps)
        widths = (given >= 0).sum(dim=1).tolist()
        sums = torch.cumsum(self._counts**rule.alpha, 0)
        parameters = [self.items, self.bias, *self.cell.parameters()]
        descent = torch.optim.Adagrad(parameters, lr=rule.rate, eps=_EPSILON)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # the arrays are small: another thread would only wait
        with torch.sparse.check_sparse_tensor_invariants(False):  # not to be warned of the default
            for _ in range(epochs):
                state = torch.zeros(given.shape[1], self.items.shape[1])
                for step, n in enumerate(widths):
                    state = state[:n].masked_fill(first[step, :n, None], 0.0)
                    lists = given[step, :n], wanted[step, :n], self._drawn(sums, rule.negatives)
                    loss, state = self.loss(*lists, state, rule)
                    descent.zero_grad()
                    (loss / given.shape[1]).backward()
                    descent.step()
                    state = state.detach()
        torch.set_num_threads(threads)

    def _drawn(self, sums: Tensor, count: int) -> Tensor:
        """Items drawn by weights of which `sums`, float64[I], are running sums: int64[count]."""
        import torch

        places = torch.rand(count, dtype=torch.float64, generator=self._random)
        return torch.searchsorted(sums, places * sums[-1], right=True)

    def loss(
        self, given: Tensor, wanted: Tensor, negatives: Tensor, state: Tensor, rule: Rule
    ) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the next items among those of the other sessions and the negatives.

        L = −Σ log softmax(q·h + b − log w), where w is an item's count as another session's
        next item, and count^alpha as a negative: what it is drawn by.

        Args:
            given, wanted: int64[n]. negatives: int64[k]. state: float32[n, d], h before.

        Returns:
            L, and h after `given`, float32[n, d], of which dropout has left a part.
        """
        import torch
        from torch.nn.functional import cross_entropy, embedding

        n, columns = len(given), torch.cat([wanted, negatives])
        vectors = embedding(torch.cat([given, columns]), self.items, sparse=True)
        state = self.cell(vectors[:n], state)
        if rule.dropout:
            kept = torch.rand(state.shape, generator=self._random) >= rule.dropout
            state = state * kept / (1.0 - rule.dropout)
        weights = torch.log(self._counts[columns]).float()
        weights[n:] *= rule.alpha
        bias = embedding(columns, self.bias, sparse=True)
        scores = state @ vectors[n:].T + bias.T - weights
        return cross_entropy(scores, torch.arange(n), reduction="sum"), state

    def read(self, items: Sequence[int], state: Tensor | None) -> Tensor:
        """h after some more items of a session, float32[1, d]."""
        import torch

        with torch.no_grad():
            if state is None:
                state = torch.zeros(1, self.items.shape[1])
            for item in items:
                state = self.cell(self.items[item, None], state)
        return state

    def scores(self, state: Tensor) -> NDArray[np.float64]:
        """q·h + b of all items, float64[I]."""
        found = self.items.detach() @ state[0] + self.bias.detach()[:, 0]
        scores: NDArray[np.float64] = found.numpy().astype(np.float64)
        return scores
