"""The compiled loops of the ranker: one score of a candidate's features, and one step of learning.

In: what `candidate_kernels` reads; out: ranked slots, or changed parameters. Like `udfs.kernels`
they release the interpreter lock, are exactly sequential, and have a plain twin in the tests. Names
of sizes: `I` catalogue slots, `N` items of a list, `F` features, `P` parameters.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from udfs.candidate_kernels import (
    BASE,
    FEATURES,
    FLOOR,
    KINDS,
    MODEL_OF,
    choose,
    collect,
    describe,
)
from udfs.kernels import next_random
from udfs.list_kernels import insert


@njit(cache=True, nogil=True)
def score(x, hidden, w):
    """The logit of one candidate.

    Linear (`hidden` 0): w·x. Neural: W₂σ(W₁x + b₁), the hidden layer of y = σ(W₂σ(W₁x + b₁) + b₂);
    b₂ is the same for all candidates and changes no order.

    Args:
        x: float32[F]. w: float64[P]; neural: W₁ by rows of F with b₁ last, then W₂.
    """
    z = 0.0
    if hidden == 0:
        for f in range(FEATURES):
            z += w[f] * x[f]
        return z
    for h in range(hidden):
        z += w[hidden * (FEATURES + 1) + h] * _unit(x, h, w)
    return z


@njit(cache=True, nogil=True)
def _unit(x, h, w):
    """σ of hidden unit h."""
    at = h * (FEATURES + 1)
    a = w[at + FEATURES]
    for f in range(FEATURES):
        a += w[at + f] * x[f]
    return 1.0 / (1.0 + np.exp(-a))


@njit(cache=True, nogil=True)
def _slope(x, hidden, w, gradient, amount):
    """Add `amount` times the gradient of the logit by each parameter to `gradient`."""
    if hidden == 0:
        for f in range(FEATURES):
            gradient[f] += amount * x[f]
        return
    for h in range(hidden):
        unit, at, out = _unit(x, h, w), h * (FEATURES + 1), hidden * (FEATURES + 1) + h
        gradient[out] += amount * unit
        inner = amount * w[out] * unit * (1.0 - unit)
        for f in range(FEATURES):
            gradient[at + f] += inner * x[f]
        gradient[at + FEATURES] += inner


@njit(cache=True, nogil=True)
def rank(
    users, vectors, extra, exclude, history, pairs, noted, items, scratch, most, choice, hidden, w,
    out, scores, models,
):  # fmt: skip
    """The candidates with the largest score of each user, best first, equal ones by lower slot.

    Args:
        users: int32[rows], cache slots. vectors: float32[rows, d]. extra: int32[rows, E].
        most: how many candidates with evidence get a score (see `choose`).
        choice: the kind whose evidence alone is the score (without any there is no list), or −1
            for the ranker. hidden, w: see `score`.
        out, scores: int32[rows, N], float32[rows, N], set; −1 and −inf where a row has fewer.
        models: int8[rows, N], set: the model whose features, compared with their mean over the
            candidates, raise the logit most.
    """
    n = out.shape[1]
    mean, raised = np.empty(FEATURES), np.empty(MODEL_OF.max() + 1)
    slopes, best = np.empty(FEATURES), np.empty(KINDS)
    lowest = np.float32(np.log(FLOOR))
    x, since, found, mark = scratch.x, scratch.call[0] + 1, scratch.found, scratch.mark
    for r in range(users.shape[0]):
        out[r, :] = -1
        scores[r, :] = -np.inf
        first, count = collect(users[r], history, pairs, noted, extra[r], exclude, items, scratch)
        count = choose(first, count, most, since, pairs, noted, items, scratch, best)
        describe(users[r], vectors[r], count, since, history, pairs, noted, items, scratch)
        row, values = out[r], scores[r]
        worst, last = np.float32(-np.inf), -1
        mean[:] = 0.0
        for k in range(count):
            j = found[k]
            if choice >= 0:
                z = x[k, choice]
                if z <= lowest:
                    continue
            else:
                z = np.float32(score(x[k], hidden, w))
                for f in range(FEATURES):
                    mean[f] += x[k, f]
            if z > worst or (z == worst and j < last):
                insert(j, z, row, values)
                worst, last = values[n - 1], row[n - 1]
            mark[j] = -k
        if choice >= 0:
            models[r, :] = MODEL_OF[choice]
            continue
        for place in range(n):
            if row[place] < 0:
                break
            at = -mark[row[place]]
            if hidden > 0 or place == 0:
                _slope_by_input(x[at], hidden, w, slopes)
            raised[:] = 0.0
            for f in range(FEATURES):
                raised[MODEL_OF[f % BASE]] += slopes[f] * (x[at, f] - mean[f] / count)
            models[r, place] = np.argmax(raised)


@njit(cache=True, nogil=True)
def _slope_by_input(x, hidden, w, slopes):
    """Set `slopes` to the gradient of the logit by each feature."""
    if hidden == 0:
        slopes[:] = w[:FEATURES]
        return
    slopes[:] = 0.0
    for h in range(hidden):
        unit, at = _unit(x, h, w), h * (FEATURES + 1)
        for f in range(FEATURES):
            slopes[f] += w[hidden * (FEATURES + 1) + h] * unit * (1.0 - unit) * w[at + f]


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
    x, found, mark, alive = scratch.x, scratch.found, scratch.mark, items.alive
    z, gradient, best = np.empty(0), np.zeros(w.shape[0]), np.empty(KINDS)
    since = scratch.call[0] + 1
    for r in range(users.shape[0]):
        first, count = collect(users[r], history, pairs, noted, extra[r], exclude, items, scratch)
        call, goal = scratch.call[0], -1
        if mark[taken[r]] <= call:
            # The item taken is a candidate that is always kept.
            for k in range(first, count):
                if found[k] == taken[r]:
                    found[k], found[first] = found[first], found[k]
                    first += 1
                    break
        count = choose(first, count, most, since, pairs, noted, items, scratch, best)
        known, weight = count, 1.0
        for k in range(count):
            mark[found[k]] = call + 1
            if found[k] == taken[r]:
                goal = k
        if samples < items.size:
            weight = items.size / max(samples, 1)
        for n in range(min(samples, items.size)):
            j = np.int64(n)
            if samples < items.size:
                j = np.int64(next_random(random) % np.uint64(items.size))
            if mark[j] <= call and alive[j]:
                mark[j] = call + 1
                found[count] = j
                count += 1
                if j == taken[r]:
                    goal = count - 1
        if goal < 0 and mark[taken[r]] <= call:
            goal = count
            found[count] = taken[r]
            count += 1
        describe(users[r], vectors[r], count, since, history, pairs, noted, items, scratch)
        if goal < 0:
            continue
        if z.shape[0] < count:
            z = np.empty(2 * count)
        top = -np.inf
        for k in range(count):
            z[k] = score(x[k], hidden, w)
            top = max(top, z[k])
        total = 0.0
        for k in range(count):
            z[k] = np.exp(z[k] - top) * (weight if k >= known and k != goal else 1.0)
            total += z[k]
        gradient[:] = 0.0
        for k in range(count):
            _slope(x[k], hidden, w, gradient, (1.0 if k == goal else 0.0) - z[k] / total)
        for f in range(w.shape[0]):
            squares[f] += gradient[f] * gradient[f]
            w[f] += rate * gradient[f] / np.sqrt(squares[f])
