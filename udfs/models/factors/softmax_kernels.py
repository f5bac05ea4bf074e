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
from numba import njit

from udfs.memory.history_kernels import PAGE, mark, note
from udfs.memory.random_kernels import EVENT_STRIDE, next_random
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip, dot

FLOOR = np.float32(0.03)  # below the root of a step: the first one is η / √.03, nearly 6 η
LEAST_STEP = np.float32(1 / 16)  # a drawn item moves by less only by chance, and then by this much
BIAS_PACE = np.float32(2.0)  # an item's bias moves twice as fast as its factors
USER_PACE = np.float32(4.0)  # a user has few events: the own factor moves four times as fast


@njit(cache=True, nogil=True)
def window(user, target, tail, fill, older, pages, disliked, alive, position, recent, share):
    """The last items a user liked, newest first, without `target`, the dead and the disliked.

    Args:
        user, target: a cache slot; the item to leave out, −1 for none.
        tail, fill, older, pages, disliked: history pages; bit k of `disliked` (uint32[H]) marks
            item k of a page as one whose event had no positive weight.
        alive: bool[I]. position: float32[L], the weight of the k-th newest.
        recent, share: int32[L], float32[L], set to items and their part in the sum of `vector`,
            w_k / √Σw: its length grows with how much is known.

    Returns: how many items, at most L.
    """
    count = 0
    total = np.float32(0.0)
    page, length = tail[user], fill[user]
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


@njit(cache=True, nogil=True)
def vector(own, y, recent, share, count, out):
    """Set `out` to a user's own factor plus the window's part, as in `vectors`."""
    for f in range(out.shape[0]):
        out[f] = own[f]
    for k in range(count):
        row, part = y[recent[k]], share[k]
        for f in range(out.shape[0]):
            out[f] += part * row[f]


@njit(cache=True, nogil=True)
def vectors(users, p, tail, fill, older, pages, disliked, y, alive, position, out):
    """What users (int32[rows], cache slots) want now: set `out` (float32[rows, d]) to

        v_u = p_u + Σ_k w_k y_{h_k} / √Σ_k w_k

    over the last L items h_k that u liked, w_k = `position[k]`. Other arguments as in `learn`.
    """
    recent = np.empty(position.shape[0], np.int32)
    share = np.empty(position.shape[0], np.float32)
    for r in range(users.shape[0]):
        count = window(
            users[r], -1, tail, fill, older, pages, disliked, alive, position, recent, share
        )
        vector(p[users[r]], y, recent, share, count, out[r])


@njit(cache=True, nogil=True, inline="always")
def _pace(spread, gain, rate):
    """Add a mean squared gradient to an accumulator; returns it and the step of AdaGrad."""
    spread = min(spread + gain, SPREAD_LIMIT)
    return spread, rate / np.sqrt(spread + FLOOR)


@njit(cache=True, nogil=True, inline="always")
def keep(step, regularisation):
    """What a step leaves of a row that is pulled towards 0."""
    return max(np.float32(1.0) - step * regularisation, np.float32(0.0))


@njit(cache=True, nogil=True)
def pull(row, gradient, step, kept):
    """Move a row along a gradient, what it was times `kept`."""
    for f in range(row.shape[0]):
        row[f] = clip(kept * row[f] + step * gradient[f])


@njit(cache=True, nogil=True, inline="always")
def _draw(known, random):
    """One of the first `known` slots (fewer than 2³²), each as likely, from the upper 32 bits."""
    chance = next_random(random) >> np.uint64(32)
    return np.int32(chance * np.uint64(known) >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def _unit(random):
    """From 0 to 1, of 24 random bits."""
    return np.float32(next_random(random) >> np.uint64(40)) * np.float32(1 / 16777216)


@njit(cache=True, nogil=True)
def touch(j, stamp, batch, touched, before, count, q, y, bias, spread):
    """Note item `j` with its values before this call; returns how many are noted."""
    d = q.shape[1]
    stamp[j] = batch
    touched[count] = j
    before[count, :d] = q[j]
    before[count, d] = bias[j]
    before[count, d + 1 : d + 4] = spread[j]
    before[count, d + 4 :] = y[j]
    return count + 1


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _score(j, v, q, bias):
    total = bias[j]
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
    return total


@njit(cache=True, nogil=True)
def _errors(target, drawn, m, represents, positive, v, q, bias, error):
    """Set `error` (float32[m + 1]) to how far each score should rise, that of `target` first."""
    error[0] = _score(target, v, q, bias)
    top = error[0]
    for k in range(m):
        error[k + 1] = _score(drawn[k], v, q, bias)
        top = max(top, error[k + 1])
    if m == 0:
        top = max(top, np.float32(0.0))
    mine = np.exp(error[0] - top)
    others = np.exp(-top) if m == 0 else np.float32(0.0)
    for k in range(m):
        error[k + 1] = represents * np.exp(error[k + 1] - top)
        others += error[k + 1]
    if positive:
        for k in range(m):
            error[k + 1] = -error[k + 1] / (mine + others)
        error[0] = others / (mine + others)
    else:
        error[0] = -mine / (mine + others)


@njit(cache=True, nogil=True)
def learn(
    p, user_spread, tail, fill, older, pages, disliked, free, free_count, sealed,
    q, y, bias, spread, alive, size,
    users, items, weights, flags,
    rate, regularisation, negatives, position, random,
    stamp, batch, touched, before,
):  # fmt: skip
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
        p, user_spread: float32[U, d], float32[U], changed. tail, fill, older, pages, free,
            free_count, sealed: as in `history_kernels.note`; disliked: uint32[H], see `window`.
        q, y, bias, spread, alive: float32[I, d], float32[I, d], float32[I], float32[I, 3] (A of q,
            y and b), bool[I]; the first `size` slots are known before the batch, and a slot beyond
            them as of its first event.
        users, items, weights, flags: int32[n], int32[n] (−1: outside the catalogue), float32[n],
            uint8[n].
        rate, regularisation: float32. negatives: m. position: float32[L], weights of the window.
        random: uint64[1], the generator's state at the first event; each further event begins
            `EVENT_STRIDE` later, so that its draws do not depend on how events are batched.
        stamp: int64[I], `batch` where an item was touched by this call.
        touched, before: int32[t], float32[t, 2d + 4]: the touched items in order with their q, b,
            spread and y before the call; t = min(I, n·(1 + m + L)) is enough.

    Returns: (touched items, sealed pages, pages still free).
    """
    count = sealed_count = 0
    start, known, d = random[0], size, q.shape[1]
    eaten = np.full(q.shape[0], -1, np.int32)
    drawn, error = np.empty(negatives, np.int32), np.empty(negatives + 1, np.float32)
    recent, share = np.empty(position.shape[0], np.int32), np.empty(position.shape[0], np.float32)
    v, g = np.empty(d, np.float32), np.empty(d, np.float32)
    for e in range(users.shape[0]):
        user, target = users[e], items[e]
        if target < 0:
            continue
        known = max(known, target + 1)
        step, positive = min(rate * abs(weights[e]), np.float32(1.0)), weights[e] > 0.0
        if step > 0.0:
            random[0] = start + np.uint64(e) * np.uint64(EVENT_STRIDE)
            mark(e, user, tail, fill, older, pages, eaten)
            eaten[target] = e
            m = 0
            for _ in range(negatives):
                j = _draw(known, random)
                if alive[j] and eaten[j] != e:
                    drawn[m] = j
                    m += 1
            length = window(
                user, target, tail, fill, older, pages, disliked, alive, position, recent, share
            )
            vector(p[user], y, recent, share, length, v)
            represents = (known - 1) / max(negatives, 1) if positive else 1.0 / max(m, 1)
            _errors(target, drawn, m, np.float32(represents), positive, v, q, bias, error)
            g[:] = 0.0
            energy = dot(v, v) / np.float32(d)
            for k in range(m + 1 if positive else 1):
                j = drawn[k - 1] if k > 0 else target
                by = error[k]
                for f in range(d):
                    g[f] += by * q[j, f]
                if k > 0 and -by < LEAST_STEP:
                    if _unit(random) * LEAST_STEP >= -by:
                        continue
                    by = -LEAST_STEP
                if stamp[j] != batch:
                    count = touch(j, stamp, batch, touched, before, count, q, y, bias, spread)
                square = by * by
                spread[j, 0], s = _pace(spread[j, 0], square * energy, step)
                spread[j, 2], b = _pace(spread[j, 2], square, BIAS_PACE * step)
                kept = np.float32(1.0) if k > 0 else keep(s, regularisation)
                move = s * by
                for f in range(d):
                    q[j, f] = clip(kept * q[j, f] + move * v[f])
                bias[j] = clip(bias[j] + b * by)
            energy = dot(g, g) / np.float32(d)
            user_spread[user], s = _pace(user_spread[user], energy, USER_PACE * step)
            pull(p[user], g, s, keep(s, regularisation))
            for k in range(length):
                j, part = recent[k], share[k]
                if stamp[j] != batch:
                    count = touch(j, stamp, batch, touched, before, count, q, y, bias, spread)
                spread[j, 1], s = _pace(spread[j, 1], part * part * energy, step)
                pull(y[j], g, s * part, keep(s * part, regularisation))
        free_count, sealed_count = note(
            target, user, flags[e] & 1 == 1, weights[e], tail, fill, older, pages, disliked, free,
            free_count, sealed, sealed_count,
        )  # fmt: skip
    return count, sealed_count, free_count
