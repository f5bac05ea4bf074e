"""The compiled loops of the factors: what a user wants now, and how an event changes it.

In: the factors of users and items, the users' history pages and a batch of event rows; out: factors
and pages changed in place, the touched items and what they were. Like `udfs.memory.history_kernels`
they are exactly sequential, release the interpreter lock and have plain NumPy twins in the tests.
Names of
sizes: `U` users in the cache, `H` history pages, `I` catalogue slots, `d` factors, `L` items of the
window, `n` events, `m` negatives.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, note
from udfs.memory.random_kernels import EVENT_STRIDE, next_random
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip, dot
from udfs.models.factors import sample_kernels

ONE = np.float32(1.0)
FLOOR = np.float32(0.03)  # below the root of a step: the first one is η / √.03, nearly 6 η
BLOCK = 8  # consecutive events of a shard are compared with the same drawn items
BIAS_PACE = np.float32(2.0)  # an item's bias moves twice as fast as its factors
USER_PACE = np.float32(4.0)  # a user has few events: the own factor moves four times as fast


@njit(cache=True, nogil=True, _nrt=False)
def window(user, target, history, alive, position, recent, share):
    """The last items a user liked, newest first, without `target`, the dead and the disliked.

    Args:
        user, target: a cache slot; the item to leave out, −1 for none.
        history: `History`. alive: bool[I]. position: float32[L], the weight of the k-th newest.
        recent, share: int32[L], float32[L], set to items and their part in the sum of `vector`,
            w_k / √Σw: its length grows with how much is known.

    Returns: how many items, at most L.
    """
    older, pages, disliked = history.older, history.pages, history.disliked
    count = 0
    total = np.float32(0.0)
    page, length = history.tail[user], history.fill[user]
    while page >= 0 and count < position.shape[0]:
        for back in range(length):
            k = length - 1 - back
            j = pages[page, k]
            if j == target or not alive[j] or (disliked[page] >> np.uint32(k)) & np.uint32(1):
                continue
            recent[count] = j
            share[count] = position[count]
            total += position[count]
            count += 1
            if count == position.shape[0]:
                break
        page, length = older[page], PAGE
    scale = np.float32(1.0) / np.sqrt(total) if count else np.float32(0.0)
    for k in range(count):
        share[k] *= scale
    return count


@njit(cache=True, nogil=True, _nrt=False)
def vector(own, y, recent, share, count, out):
    """Set `out` to a user's own factor plus the window's part, as in `vectors`."""
    for f in range(out.shape[0]):
        out[f] = own[f]
    for k in range(count):
        row, part = y[recent[k]], share[k]
        for f in range(out.shape[0]):
            out[f] += part * row[f]


@njit(cache=True, nogil=True)
def vectors(users, p, history, y, alive, position, out):
    """What users (int32[rows], cache slots) want now: set `out` (float32[rows, d]) to

        v_u = p_u + Σ_k w_k y_{h_k} / √Σ_k w_k

    over the last L items h_k that u liked, w_k = `position[k]`. Other arguments as in
    `window`, `UserFactors` and `ItemFactors`.
    """
    recent = np.empty(position.shape[0], np.int32)
    share = np.empty(position.shape[0], np.float32)
    for r in range(users.shape[0]):
        count = window(users[r], -1, history, alive, position, recent, share)
        vector(p[users[r]], y, recent, share, count, out[r])


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def _pace(spread, gain, rate):
    """Add a mean squared gradient to an accumulator; returns it and the step of AdaGrad."""
    spread = min(spread + gain, SPREAD_LIMIT)
    return spread, rate / np.sqrt(spread + FLOOR)


@njit(cache=True, nogil=True, _nrt=False, inline="always")
def keep(step, regularisation):
    """What a step leaves of a row that is pulled towards 0."""
    return max(np.float32(1.0) - step * regularisation, np.float32(0.0))


@njit(cache=True, nogil=True, _nrt=False)
def pull(row, gradient, step, kept):
    """Move a row along a gradient, what it was times `kept`."""
    for f in range(row.shape[0]):
        row[f] = clip(kept * row[f] + step * gradient[f])


@njit(cache=True, nogil=True, _nrt=False)
def touch(slots, length, touched, count, items):
    """Note the first `length` of some items (int32) with their values before this call, each once;
    returns how many are noted.

    Args:
        touched: `Touched`, changed. count: how many are noted so far. items: `ItemFactors`.
    """
    stamp, now, noted, before = touched.stamp, touched.batch, touched.slots, touched.before
    q, y, bias, spread = items.q, items.y, items.bias, items.spread
    d = q.shape[1]
    for k in range(length):
        j = slots[k]
        if stamp[j] == now:
            continue
        stamp[j] = now
        noted[count] = j
        for f in range(d):
            before[count, f] = q[j, f]
        before[count, d] = bias[j]
        for f in range(3):
            before[count, d + 1 + f] = spread[j, f]
        for f in range(d):
            before[count, d + 4 + f] = y[j, f]
        count += 1
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _move_items(length, v, step, regularisation, items, sample):
    """Move q and b of the first `length` items of `Sample.slots` by the errors of their scores;
    only the first is pulled towards 0."""
    q, bias, spread, d = items.q, items.bias, items.spread, items.q.shape[1]
    slots, errors, places, rows, base = (
        sample.slots, sample.by, sample.places, sample.rows, sample.base
    )
    energy, kept = dot(v, v) / np.float32(d), ONE
    for k in range(length):
        j, by, at = slots[k], errors[k], places[k]
        spread[j, 0], s = _pace(spread[j, 0], by * by * energy, step)
        spread[j, 2], b = _pace(spread[j, 2], by * by, BIAS_PACE * step)
        kept = keep(s, regularisation) if k == 0 else ONE
        s *= by
        for f in range(d):
            q[j, f] = clip(kept * q[j, f] + s * v[f])
        bias[j] = clip(bias[j] + b * by)
        if at >= 0:
            for f in range(d):
                rows[at, f] = q[j, f]
            base[at] = bias[j]


@njit(cache=True, nogil=True, _nrt=False)
def _move_window(recent, share, length, g, step, regularisation, items):
    """Move y of the items of the window along g."""
    y, spread, d = items.y, items.spread, items.y.shape[1]
    energy = dot(g, g) / np.float32(d)
    for k in range(length):
        j, part = recent[k], share[k]
        spread[j, 1], s = _pace(spread[j, 1], part * part * energy, step)
        s *= part
        kept = keep(s, regularisation)
        for f in range(d):
            y[j, f] = clip(kept * y[j, f] + s * g[f])


@njit(cache=True, nogil=True)
def learn(users, history, spare, items, batch, rule, draws, touched):
    """Matrix factorisation with a window of the history, by a sampled softmax, event by event.

    With v_u of `vectors`, from the history before the event, an item's score is
    s_j = b_j + q_j·v_u (the plain R ≈ UᵀV where L = 0). An event of weight w > 0 on item i follows
    the gradient of its log likelihood among all items that the user has not consumed. Of them m are
    drawn uniformly, each of which stands for c = (known − 1) / m items:

        P_i = exp(s_i) / Z,  P_j = c·exp(s_j) / Z,  Z = exp(s_i) + c·Σ_j exp(s_j)
        e_i = 1 − P_i,  e_j = −P_j;  g = Σ e·q
        q += η e v / √A;  b += 2η e / √A;  p_u += 4η g / √A;  y_h += η share_h g / √A

    Most e_j are tiny, and each touched item has to be told to its owner: where |e_j| < ε, the
    item j itself is moved with a chance of |e_j| / ε only, but by ε then (ε = `LEAST_STEP`); the
    mean is the same. g is summed from all.

    An event of weight w < 0 only lowers s_i, against the mean of those drawn (c = 1/m):
    e_i = −P_i. Where none is drawn, the score to compare with is 0. η is `rate`·|w|, at most 1;
    each row has its A, the sum of its mean squared gradients (AdaGrad: Duchi, Hazan, Singer 2011),
    and those of i, u and the window are pulled towards 0 by `regularisation` times the same step.
    Asymmetric factors: Koren 2008; the history by a sum over √: FISM, Kabbur et al. 2013; sampled
    softmax with its correction: Jean et al. 2015. An event with flag 1 is then appended to its
    user's history; of an item that stands there, the last event of a weight but 0 says whether it
    is liked.

    Args:
        users, history, spare, items: `UserFactors`, `History`, `Spare` and `ItemFactors`, changed.
        batch, rule, draws, touched: `Batch`, `Rule`, `Draws` and `Touched`.

    Returns: how many items were touched.
    """
    p, user_spread, random = users.p, users.spread, draws.random
    q, y, bias, alive, d = items.q, items.y, items.bias, items.alive, items.q.shape[1]
    event_users, event_items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    rate, regularisation, position = rule.rate, rule.regularisation, rule.position
    negatives, known, number = draws.negatives, draws.size, draws.number
    start, block, drawn, drawn_of, count = random[0], -1, 0, 0, 0
    sample = sample_kernels.sample(negatives, d)
    slots, by = sample.slots, sample.by
    recent, share = np.empty(position.shape[0], np.int32), np.empty(position.shape[0], np.float32)
    v, g = np.empty(d, np.float32), np.empty(d, np.float32)
    for e in range(event_users.shape[0]):
        user, target = event_users[e], event_items[e]
        if target < 0:
            continue
        known = max(known, target + 1)
        step, positive = min(rate * abs(weights[e]), np.float32(1.0)), weights[e] > 0.0
        if step > 0.0:
            if (number + e) // BLOCK != block or known != drawn_of:
                block, drawn_of = (number + e) // BLOCK, known
                random[0] = start + np.uint64(block * BLOCK - number) * np.uint64(EVENT_STRIDE)
                drawn = sample_kernels.draw(random, negatives, known, items, drawn, sample)
            total = sample_kernels.compare_with(user, target, history, drawn, sample)
            length = window(user, target, history, alive, position, recent, share)
            vector(p[user], y, recent, share, length, v)
            mine = bias[target] + dot(v, q[target])
            c = (known - 1) / max(negatives, 1) if positive else 1.0 / max(total, 1.0)
            others = sample_kernels.odds(drawn, mine, np.float32(c), v, sample, g)
            if total == 0.0:
                others = np.exp(min(-mine, sample_kernels.FARTHEST))
            found = 1
            by[0] = (others if positive else -ONE) / (ONE + others)
            if positive:
                random[0] = start + np.uint64(e) * np.uint64(EVENT_STRIDE)
                seed = np.uint32(next_random(random))
                found = sample_kernels.moved(drawn, ONE + others, seed, sample)
            kept = -ONE / (ONE + others) if positive else np.float32(0.0)
            for f in range(d):
                g[f] = kept * g[f] + by[0] * q[target, f]
            count = touch(slots, found, touched, count, items)
            _move_items(found, v, step, regularisation, items, sample)
            energy = dot(g, g) / np.float32(d)
            user_spread[user], s = _pace(user_spread[user], energy, USER_PACE * step)
            pull(p[user], g, s, keep(s, regularisation))
            count = touch(recent, length, touched, count, items)
            _move_window(recent, share, length, g, step, regularisation, items)
        note(target, user, flags[e] & 1 == 1, weights[e], history, spare)
    random[0] = start + np.uint64(event_users.shape[0]) * np.uint64(EVENT_STRIDE)
    return count
