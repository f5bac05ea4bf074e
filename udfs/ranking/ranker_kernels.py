"""The compiled loops of the ranker: one score of a candidate's features, and one step of learning.

In: what `candidate_kernels` reads; out: ranked slots, or changed parameters. Like
`udfs.memory.history_kernels` they release the interpreter lock, are exactly sequential, and have a
plain twin in the tests. Names
of sizes: `I` catalogue slots, `N` items of a list, `F` features (`BASE`), `P` parameters.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np
from numba import njit

from udfs.memory import history_kernels
from udfs.memory.random_kernels import next_random
from udfs.memory.top_kernels import insert
from udfs.ranking.candidate_kernels import (
    BASE,
    FEATURES,
    FLOOR,
    MODEL_OF,
    activity,
    collect,
    describe,
)


@njit(cache=True, nogil=True)
def fold(w, hidden, active, folded):
    """The parameters of the logit for one user, whose features count once more, times `active`.

    Linear (`hidden` 0): z = Σ_f (w_f + active·w_{F+f})·x_f. Neural: W₂σ(W₁(x, active·x) + b₁), the
    hidden layer of y = σ(W₂σ(W₁x + b₁) + b₂); b₂ is the same for all candidates and changes no
    order.

    Args:
        w: float64[P]; neural: W₁ by rows of 2F with b₁ last, then W₂.
        folded: float32[max(hidden, 1), F + 2], set to what x is multiplied by, b₁ and W₂.
    """
    for h in range(max(hidden, 1)):
        at = h * (FEATURES + 1)
        for f in range(BASE):
            folded[h, f] = w[at + f] + active * w[at + BASE + f]
        if hidden > 0:
            folded[h, BASE] = w[at + FEATURES]
            folded[h, BASE + 1] = w[hidden * (FEATURES + 1) + h]


@njit(cache=True, nogil=True, inline="always")
def _unit(x, k, folded, h):
    """σ of hidden unit h for candidate k."""
    a = folded[h, BASE]
    for f in range(BASE):
        a += folded[h, f] * x[f, k]
    return np.float32(1.0) / (np.float32(1.0) + np.exp(-a))


@njit(cache=True, nogil=True)
def logits(x, count, hidden, folded, z):
    """Set `z` (float32[…]) to the logits of `count` candidates with the features x, float32[F, …],
    and `folded` parameters."""
    z[:count] = np.float32(0.0)
    if hidden == 0:
        for f in range(BASE):
            weight = folded[0, f]
            for k in range(count):
                z[k] += weight * x[f, k]
    for h in range(hidden):
        for k in range(count):
            z[k] += folded[h, BASE + 1] * _unit(x, k, folded, h)


@njit(cache=True, nogil=True)
def _gradient(x, count, hidden, folded, active, amount, out):
    """Set `out` (float64[P]) to the sum of the gradients of the logits by each parameter, those of
    candidate k times `amount[k]`."""
    out[:] = 0.0
    for h in range(max(hidden, 1)):
        at = h * (FEATURES + 1)
        for k in range(count):
            inner = np.float64(amount[k])
            if hidden > 0:
                unit = _unit(x, k, folded, h)
                out[hidden * (FEATURES + 1) + h] += inner * unit
                inner *= folded[h, BASE + 1] * unit * (1.0 - unit)
                out[at + FEATURES] += inner
            for f in range(BASE):
                out[at + f] += inner * x[f, k]
        for f in range(BASE):
            out[at + BASE + f] = active * out[at + f]


@njit(cache=True, nogil=True)
def _slopes(x, k, hidden, folded, out):
    """Set `out` (float32[F]) to the gradient of the logit of candidate k by each feature."""
    if hidden == 0:
        out[:] = folded[0, :BASE]
        return
    out[:] = np.float32(0.0)
    for h in range(hidden):
        unit = _unit(x, k, folded, h)
        for f in range(BASE):
            out[f] += folded[h, BASE + 1] * unit * (np.float32(1.0) - unit) * folded[h, f]


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _mean(x, count, out):
    """Set `out` (float32[F]) to the means of the features."""
    for f in range(BASE):
        total = np.float32(0.0)
        for k in range(count):
            total += x[f, k]
        out[f] = total / np.float32(max(count, 1))


@njit(cache=True, nogil=True)
def rank(
    users, vectors, extra, since, exclude, history, pairs, noted, items, scratch, most, choice,
    hidden, w, out, scores, models,
):  # fmt: skip
    """The candidates with the largest logit of each user, best first, equal ones by lower slot.

    Args:
        users: int32[rows], cache slots. vectors: float32[rows, d]. extra: int32[rows, E].
        since: see `collect`.
        most: how many candidates with evidence get a score (see `collect`).
        choice: the kind whose evidence alone is the score (without any there is no list), or −1
            for the ranker. hidden, w: see `fold`.
        out, scores: int32[rows, N], float32[rows, N], set; −1 and −inf where a row has fewer.
        models: int8[rows, N], set: the model whose features, compared with their mean over the
            candidates, raise the logit most.
    """
    n = out.shape[1]
    folded = np.zeros((max(hidden, 1), BASE + 2), np.float32)
    mean, slopes = np.empty(BASE, np.float32), np.empty(BASE, np.float32)
    raised = np.empty(MODEL_OF.max() + 1, np.float32)
    lowest = np.float32(np.log(FLOOR))
    nothing = np.int32(-1)  # of the type that `train` gives: both share one compiled `collect`
    slots, x, place = scratch.slots, scratch.x, scratch.place
    z = x[max(choice, 0)] if choice >= 0 else scratch.z
    for r in range(users.shape[0]):
        out[r, :] = -1
        scores[r, :] = -np.inf
        count = collect(
            users[r], extra[r], nothing, most, since, exclude, history, pairs, noted, items, scratch
        )
        describe(vectors[r], count, since, pairs, noted, items, scratch)
        if choice < 0:
            fold(w, hidden, activity(users[r], history), folded)
            logits(x, count, hidden, folded, z)
        row, values = out[r], scores[r]
        worst, last = np.float32(-np.inf), -1
        for k in range(count):
            if z[k] >= worst and (choice < 0 or z[k] > lowest):
                j = slots[k]
                if z[k] > worst or j < last:
                    insert(j, z[k], row, values)
                    worst, last = values[n - 1], row[n - 1]
                    place[j] = k
        if choice >= 0:
            models[r, :] = MODEL_OF[choice]
            continue
        _mean(x, count, mean)
        for at in range(n):
            if row[at] < 0:
                break
            k = place[row[at]]
            if hidden > 0 or at == 0:
                _slopes(x, k, hidden, folded, slopes)
            raised[:] = 0.0
            for f in range(BASE):
                raised[MODEL_OF[f]] += slopes[f] * (x[f, k] - mean[f])
            models[r, at] = np.argmax(raised)


@njit(cache=True, nogil=True)
def train(
    users, taken, vectors, extra, exclude, history, pairs, noted, items, scratch, most, hidden, w,
    squares, rate, samples, random,
):  # fmt: skip
    """Learn from what each user took: a step on the softmax over all items, event by event.

    The candidates, with weight c_j = 1, and those of `samples` items drawn uniformly that are no
    candidates, with c_j = I / `samples`, stand for the catalogue (all of it, where it is no
    larger); what a user has consumed is left out. With z the logits and p_j = c_j·e^{z_j} / Σ c·e^z

        g = ∂z_y/∂w − Σ_j p_j ∂z_j/∂w;  G += g²;  w += rate · g / √G

    for the item y that the user took (AdaGrad: Duchi, Hazan, Singer 2011). Training on candidates
    alone would teach how to tell good ones apart, but not from the rest.

    Args:
        users, taken: int32[n], cache slots and the living items they took next.
        w, squares: float64[P], changed in place, G > 0. random: uint64[1], changed in place.
    """
    slots, x, z, mark, alive = scratch.slots, scratch.x, scratch.z, scratch.mark, items.alive
    folded = np.zeros((max(hidden, 1), BASE + 2), np.float32)
    gradient = np.zeros(w.shape[0])
    since = scratch.call[0] + 1
    for r in range(users.shape[0]):
        user, goal = users[r], -1
        count = collect(
            user, extra[r], taken[r], most, since, exclude, history, pairs, noted, items, scratch
        )
        call = scratch.call[0]
        if exclude:
            history_kernels.mark(
                call + 1, user, history.tail, history.fill, history.older, history.pages, mark
            )
        known, weight = count, np.float32(1.0)
        for k in range(count):
            mark[slots[k]] = call + 1
            if slots[k] == taken[r]:
                goal = k
        if samples < items.size:
            weight = np.float32(items.size / max(samples, 1))
        for n in range(min(samples, items.size)):
            j = np.int64(n)
            if samples < items.size:
                j = np.int64(next_random(random) % np.uint64(items.size))
            if mark[j] <= call and alive[j]:
                mark[j] = call + 1
                slots[count], x[0, count], x[1, count] = j, 0.0, 0.0
                if j == taken[r]:
                    goal = count
                count += 1
        if goal < 0 and mark[taken[r]] <= call:
            goal = count
            slots[count], x[0, count], x[1, count] = taken[r], 0.0, 0.0
            count += 1
        if goal < 0:
            continue
        describe(vectors[r], count, since, pairs, noted, items, scratch)
        active = activity(user, history)
        fold(w, hidden, active, folded)
        logits(x, count, hidden, folded, z)
        top, total = np.float32(-np.inf), 0.0
        for k in range(count):
            top = max(top, z[k])
        for k in range(count):
            z[k] = np.exp(z[k] - top) * (weight if k >= known and k != goal else np.float32(1.0))
            total += z[k]
        for k in range(count):
            z[k] = -z[k] / total
        z[goal] += np.float32(1.0)
        _gradient(x, count, hidden, folded, active, z, gradient)
        for f in range(w.shape[0]):
            squares[f] += gradient[f] * gradient[f]
            w[f] += rate * gradient[f] / np.sqrt(squares[f])
