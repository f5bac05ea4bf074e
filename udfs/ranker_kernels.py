"""The compiled loops of the ranker: candidates of all models, their features, one score, one step.

In: history pages, counted pairs, noted consumers, factors, popularity; out: ranked slots, or
changed parameters. Like `udfs.kernels` they release the interpreter lock, are exactly sequential,
and have a plain twin in the tests. Names of sizes: `I` catalogue slots, `N` items of a list, `F`
features, `P` parameters.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from udfs import consumer_kernels, neighbour_kernels
from udfs.kernels import dot, next_random
from udfs.list_kernels import insert

MEMORIES = 3  # columns of evidence: item-cf, its short memory, user-cf
BASE = 6  # features before those that depend on how active the user is
FEATURES = 2 * BASE
FLOOR = 0.3  # what no evidence at all is, as a share of the most: log(0.3) = −1.2
LEAST = np.float32(-0.25)  # the lowest share of evidence, of what is like the disliked
FARTHEST = np.float32(10.0)  # the lowest mf feature, below the highest
_WEIGHED, _BUCKETS = np.array([2.0, 1.0, 0.7], np.float32), 256
MODEL_OF = np.array([0, 0, 1, 2, 3, 3], np.int8)  # of each base feature, into `ranker.MODELS`


class Items(NamedTuple):
    """What is known of catalogue slots.

    Attributes:
        q, bias, alive, events: float32[I, d], float32[I], bool[I], int64[I].
        popularity, popularity_at: float64[I]. clock, half_life: ms.
        size: slots in use.
    """

    q: Any
    bias: Any
    alive: Any
    events: Any
    popularity: Any
    popularity_at: Any
    clock: float
    half_life: float
    size: int


class Scratch(NamedTuple):
    """Memory of the kernels between calls.

    Attributes:
        evidence: float32[I, MEMORIES], all 0, left so. mark: int64[I]. call: int64[1], the last
            mark given. found: int32[I]. x: float32[I, FEATURES].
        known, priced: float32[I, 4], int64[I]: what describes an item whoever the list is for,
            computed once in a call: the marks from which on it is valid.
    """

    evidence: Any
    mark: Any
    call: Any
    found: Any
    x: Any
    known: Any
    priced: Any


@njit(cache=True, nogil=True)
def collect(user, history, pairs, noted, extra, exclude, items, scratch):
    """The candidates of one user: `extra`, and all that has evidence; alive and, if asked, unseen.

    Args:
        extra: int32[E], candidates of other models, −1 for none.

    Returns: (candidates that are in `extra`, candidates); `scratch.found` names them, those in
        `extra` first; `scratch.evidence` is not cleared.
    """
    scratch.call[0] += 2
    call, mark, found = scratch.call[0], scratch.mark, scratch.found
    evidence, alive = scratch.evidence, items.alive
    pages, older = history.pages, history.older
    first = 0
    for j in extra:
        if j >= 0 and mark[j] != call:
            mark[j] = call
            found[first] = j
            first += 1
    count = neighbour_kernels.gather(user, history, pairs, evidence, mark, call, found, first)
    count = consumer_kernels.gather(
        user, history, noted, MEMORIES - 1, evidence, mark, call, found, count
    )
    if exclude:
        page, stop = history.tail[user], history.fill[user]
        while page >= 0:
            for k in range(stop):
                if pages[page, k] < mark.shape[0]:
                    mark[pages[page, k]] = call + 1
            page, stop = older[page], pages.shape[1]
    kept = chosen = 0
    for k in range(count):
        j = found[k]
        if mark[j] == call and alive[j]:
            found[kept] = j
            kept += 1
            chosen += k < first
        else:
            for m in range(MEMORIES):
                evidence[j, m] = 0.0
    return chosen, kept


@njit(cache=True, nogil=True)
def _price(count, since, pairs, noted, items, scratch):
    """Set `scratch.known` of all candidates, of each once in a call: both damping factors, both
    features of popularity."""
    found, known, priced, call = scratch.found, scratch.known, scratch.priced, scratch.call[0]
    counted, noticed, events = pairs.counts, noted.counts, items.events
    popularity, popularity_at = items.popularity, items.popularity_at
    for k in range(count):
        j = found[k]
        if priced[j] < since:
            priced[j] = call
            n = counted[j] if j < counted.shape[0] else 0.0
            known[j, 0] = (n / pairs.gain + pairs.shrink) ** -pairs.target_power
            n = np.float64(noticed[j]) if j < noticed.shape[0] else 0.0
            known[j, 1] = (n + noted.shrink) ** -noted.power
            known[j, 2] = np.log(1.0 + events[j])
            age = max(items.clock - popularity_at[j], 0.0)
            known[j, 3] = np.log(0.05 + popularity[j] * 2.0 ** (-age / items.half_life))


@njit(cache=True, nogil=True)
def choose(first, count, most, since, pairs, noted, items, scratch, best):
    """Keep the first candidates and about `most` of the others, those with the most evidence.

    Evidence becomes a share of its largest among the candidates, by memory. What is weighed here
    is a plain sum; it need only hold all that the ranker may put into a list.

    Args:
        best: float64[MEMORIES], set to the largest.

    Returns: candidates kept; their evidence is not cleared.
    """
    found, evidence, x, known = scratch.found, scratch.evidence, scratch.x, scratch.known
    _price(count, since, pairs, noted, items, scratch)
    best[:] = 1e-30
    for k in range(count):
        j = found[k]
        evidence[j, 0] *= known[j, 0]
        evidence[j, 1] *= known[j, 0]
        evidence[j, 2] *= known[j, 1]
        for m in range(MEMORIES):
            best[m] = max(best[m], evidence[j, m])
    for k in range(count):
        j = found[k]
        amount = np.float32(0.0)
        for m in range(MEMORIES):
            evidence[j, m] = max(np.float32(evidence[j, m] / best[m]), LEAST)
            amount += evidence[j, m] * _WEIGHED[m]
        x[k, 0] = amount
    if count - first <= most:
        return count
    buckets = np.zeros(_BUCKETS, np.int32)
    scale = np.float32(_BUCKETS - 1) / _WEIGHED.sum()
    for k in range(first, count):
        buckets[max(int(x[k, 0] * scale), 0)] += 1
    lowest, total = _BUCKETS - 1, buckets[_BUCKETS - 1]
    while total < most and lowest > 0:
        lowest -= 1
        total += buckets[lowest]
    kept = first
    for k in range(first, count):
        j = found[k]
        if max(int(x[k, 0] * scale), 0) >= lowest:
            found[kept] = j
            kept += 1
        else:
            for m in range(MEMORIES):
                evidence[j, m] = 0.0
    return kept


@njit(cache=True, nogil=True)
def describe(user, vector, count, since, history, pairs, noted, items, scratch):
    """Set `scratch.x` to the features of the candidates; clears their evidence.

    With s_m the share of the largest evidence of each memory (at least LEAST), and n_j the events
    of item j:

        log(FLOOR + s_m) for item-cf, its short memory and user-cf;
        b_j + q_j·v, at least FARTHEST below the largest;
        log(1 + n_j);  log(.05 + decayed popularity)

    and each of them times .3·(log(1 + n_u) − 3), n_u the events of the user.

    Args:
        vector: float32[d], v.
    """
    found, evidence, x, known = scratch.found, scratch.evidence, scratch.x, scratch.known
    q, bias = items.q, items.bias
    _price(count, since, pairs, noted, items, scratch)
    for k in range(count):
        j = found[k]
        for m in range(MEMORIES):
            x[k, m] = np.log(np.float32(FLOOR) + evidence[j, m])
            evidence[j, m] = 0.0
        x[k, 3] = bias[j] + dot(vector, q[j])
        x[k, 4] = known[j, 2]
        x[k, 5] = known[j, 3]
    near = np.float32(-np.inf)
    for k in range(count):
        near = max(near, x[k, 3])
    active = np.float32(0.3 * (np.log(1.0 + history.events[user]) - 3.0))
    for k in range(count):
        x[k, 3] = max(x[k, 3] - near, -FARTHEST)
        for f in range(BASE):
            x[k, BASE + f] = x[k, f] * active


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
        choice: the memory whose evidence alone is the score (without any there is no list), or −1
            for the ranker. hidden, w: see `score`.
        out, scores: int32[rows, N], float32[rows, N], set; −1 and −inf where a row has fewer.
        models: int8[rows, N], set: the model whose features, compared with their mean over the
            candidates, raise the logit most.
    """
    n = out.shape[1]
    mean, raised = np.empty(FEATURES), np.empty(MODEL_OF.max() + 1)
    slopes, best = np.empty(FEATURES), np.empty(MEMORIES)
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
    z, gradient, best = np.empty(0), np.zeros(w.shape[0]), np.empty(MEMORIES)
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
