"""The compiled loops of the ranker: one score of a candidate's features, and one step of learning.

In: what `candidate_kernels` reads; out: ranked slots, or changed parameters. Like
`udfs.memory.history_kernels` they release the interpreter lock, are exactly sequential, and have a
plain twin in the tests. Names of sizes: `I` catalogue slots, `N` items of a list, `F` features, `P`
parameters. How many features there are is known when Numba compiles, from the length of a tuple:
loops over them are unrolled.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.top_kernels import insert
from udfs.models.cached import forget_unreadable
from udfs.ranking.candidate_kernels import activity, collect, describe, price, weigh
from udfs.ranking.feature_kernels import loudest


class Network(NamedTuple):
    """The ranker.

    Attributes:
        w: float64[P], see `fold`; changed in place by `train`. hidden: units, 0: linear.
        speaks, says: F integers each, for which source each feature speaks, and of which items.
        choice: the feature that alone is the score, where it is above that of no evidence; −1: all.
        floor: what no evidence is to the chosen source, as a share of the most.
    """

    w: Any
    hidden: int
    speaks: Any
    says: Any
    choice: int
    floor: float


class Training(NamedTuple):
    """What a step of learning needs besides.

    Attributes:
        taken: int32[rows], the living items that users took next.
        squares: float64[P], G > 0, changed in place. rate: of the step.
        worth: float32[rows], what each gradient is multiplied by.
    """

    taken: Any
    squares: Any
    rate: float
    worth: Any


@njit(cache=True, nogil=True, _nrt=False)
def fold(network, active, folded):
    """The parameters of the logit for one user, whose features count once more, times `active`.

    Linear (`hidden` 0): z = Σ_f (w_f + active·w_{F+f})·x_f. Neural: W₂σ(W₁(x, active·x) + b₁), the
    hidden layer of y = σ(W₂σ(W₁x + b₁) + b₂); b₂ is the same for all candidates and changes no
    order.

    Args:
        network: w is float64[P]; neural: W₁ by rows of 2F with b₁ last, then W₂.
        folded: float32[max(hidden, 1), F + 2], set to what x is multiplied by, b₁ and W₂.
    """
    w, hidden, size = network.w, network.hidden, len(network.speaks)
    for h in range(max(hidden, 1)):
        at = h * (2 * size + 1)
        for f in range(size):
            folded[h, f] = w[at + f] + active * w[at + size + f]
        if hidden > 0:
            folded[h, size] = w[at + 2 * size]
            folded[h, size + 1] = w[hidden * (2 * size + 1) + h]


@njit(cache=True, nogil=True, inline="always")
def _unit(x, k, folded, h, speaks):
    """σ of hidden unit h for candidate k."""
    size = len(speaks)
    a = folded[h, size]
    for f in range(size):
        a += folded[h, f] * x[f, k]
    return np.float32(1.0) / (np.float32(1.0) + np.exp(-a))


@njit(cache=True, nogil=True, _nrt=False)
def logits(x, count, network, folded, z):
    """Set `z` (float32[…]) to the logits of `count` candidates with the features x, float32[F, …],
    and `folded` parameters."""
    hidden, speaks, size = network.hidden, network.speaks, len(network.speaks)
    z[:count] = np.float32(0.0)
    if hidden == 0:
        for f in range(size):
            weight = folded[0, f]
            for k in range(count):
                z[k] += weight * x[f, k]
    for h in range(hidden):
        for k in range(count):
            z[k] += folded[h, size + 1] * _unit(x, k, folded, h, speaks)


@njit(cache=True, nogil=True)
def _gradient(x, count, network, folded, active, amount, out):
    """Set `out` (float64[P]) to the sum of the gradients of the logits by each parameter, those of
    candidate k times `amount[k]`."""
    hidden, speaks, size = network.hidden, network.speaks, len(network.speaks)
    out[:] = 0.0
    for h in range(max(hidden, 1)):
        at = h * (2 * size + 1)
        for k in range(count):
            inner = np.float64(amount[k])
            if hidden > 0:
                unit = _unit(x, k, folded, h, speaks)
                out[hidden * (2 * size + 1) + h] += inner * unit
                inner *= folded[h, size + 1] * unit * (1.0 - unit)
                out[at + 2 * size] += inner
            for f in range(size):
                out[at + f] += inner * x[f, k]
        for f in range(size):
            out[at + size + f] = active * out[at + f]


@njit(cache=True, nogil=True, _nrt=False)
def _slopes(x, k, network, folded, out):
    """Set `out` (float32[F]) to the gradient of the logit of candidate k by each feature."""
    hidden, speaks, size = network.hidden, network.speaks, len(network.speaks)
    if hidden == 0:
        for f in range(size):
            out[f] = folded[0, f]
        return
    out[:] = np.float32(0.0)
    for h in range(hidden):
        unit = _unit(x, k, folded, h, speaks)
        for f in range(size):
            out[f] += folded[h, size + 1] * unit * (np.float32(1.0) - unit) * folded[h, f]


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _mean(x, count, out):
    """Set `out` (float32[F]) to the means of the features."""
    for f in range(out.shape[0]):
        total = np.float32(0.0)
        for k in range(count):
            total += x[f, k]
        out[f] = total / np.float32(max(count, 1))


@njit(cache=True, nogil=True)
def rank(asked, history, sources, features, items, scratch, network, given, out):
    """The candidates with the largest logit of each user, best first, equal ones by lower slot.

    Args:
        asked: `Asked`. history: `History`. sources, features: tuples of views. items: `Items`.
        scratch: `Scratch`. network: `Network`.
        given: logits from elsewhere, `z` and `starts` of `own_ranker.Given`; if `z` is empty, they
            are those of the network.
        out: `Lists`, whose rows `asked.begin` to `asked.end` − 1 are set, scores to logits less the
            largest, or to the chosen feature; −1 and −inf where a row has fewer. An item's model is
            of the sources that say anything of it the one whose features, compared with their mean
            over the candidates, raise the logit most.

    Returns: how many of the rows have fewer.
    """
    speaks, says, choice, hidden = network.speaks, network.says, network.choice, network.hidden
    n, size = out.items.shape[1], len(speaks)
    folded = np.zeros((max(hidden, 1), size + 2), np.float32)
    mean, slopes = np.empty(size, np.float32), np.empty(size, np.float32)
    raised = np.empty(max(speaks) + 1, np.float32)
    lowest, short = np.float32(np.log(network.floor)), 0
    slots, x, place, shares = scratch.slots, scratch.x, scratch.place, scratch.shares
    users, rows, scores, models = asked.users, out.items, out.scores, out.models
    own, starts = given.z, given.starts
    z = x[max(choice, 0)] if choice >= 0 else scratch.z
    for r in range(asked.begin, asked.end):
        rows[r, :] = -1
        scores[r, :] = -np.inf
        models[r, :] = 0 if choice < 0 else speaks[choice]
        count = collect(r, asked, history, sources, items, scratch)
        describe(r, count, asked, features, scratch)
        if choice < 0:
            fold(network, activity(users[r], history), folded)
            if own.shape[0] > 0:
                for k in range(count):
                    z[k] = own[starts[r] + k]
            else:
                logits(x, count, network, folded, z)
        row, values = rows[r], scores[r]
        worst, last = np.float32(-np.inf), -1
        for k in range(count):
            if z[k] >= worst and (choice < 0 or z[k] > lowest):
                j = slots[k]
                if z[k] > worst or j < last:
                    insert(j, z[k], row, values)
                    worst, last = values[n - 1], row[n - 1]
                    place[j] = k
        short += row[n - 1] < 0
        if choice >= 0:
            continue
        if row[0] >= 0:
            values -= values[0]
        _mean(x, count, mean)
        for at in range(n):
            if row[at] < 0:
                break
            k = place[row[at]]
            if hidden > 0 or at == 0:
                _slopes(x, k, network, folded, slopes)
            taken = items.events[row[at]] > 0
            models[r, at] = loudest(x, k, shares, taken, mean, slopes, (speaks, says), raised)
    return short


@njit(cache=True, nogil=True)
def train(asked, history, sources, features, items, scratch, network, training):
    """Learn from what each user took: a step on the softmax over the candidates, event by event.

    With z the logits, p the softmax of them, and y the item that the user took,

        g = worth · (∂z_y/∂w − Σ_j p_j ∂z_j/∂w);  G += g²;  w += rate · g / √G

    (AdaGrad: Duchi, Hazan, Singer 2011). An item that was no candidate teaches nothing: a list is
    chosen among candidates only, and such an item, set beside the best of all others, would teach
    that having little evidence is good.

    Args:
        training: `Training`; the others as of `rank`.
    """
    slots, z, users = scratch.slots, scratch.z, asked.users
    w, squares, taken = network.w, training.squares, training.taken
    folded = np.zeros((max(network.hidden, 1), len(network.speaks) + 2), np.float32)
    gradient = np.zeros(w.shape[0])
    for r in range(asked.begin, asked.end):
        user, goal = users[r], -1
        count = collect(r, asked, history, sources, items, scratch)
        for k in range(count):
            if slots[k] == taken[r]:
                goal = k
        if goal < 0:
            continue
        describe(r, count, asked, features, scratch)
        active = activity(user, history)
        fold(network, active, folded)
        logits(scratch.x, count, network, folded, z)
        top, total = np.float32(-np.inf), 0.0
        for k in range(count):
            top = max(top, z[k])
        for k in range(count):
            z[k] = np.exp(z[k] - top)
            total += z[k]
        for k in range(count):
            z[k] = -z[k] / total
        z[goal] += np.float32(1.0)
        _gradient(scratch.x, count, network, folded, active, z, gradient)
        for f in range(w.shape[0]):
            slope = gradient[f] * training.worth[r]
            squares[f] += slope * slope
            w[f] += training.rate * slope / np.sqrt(squares[f])


forget_unreadable(weigh, collect, price, describe, rank, train)
