"""The compiled loop of the factors: how an event changes what a user wants.

In: the factors of users and items, the users' history pages and a batch of event rows; out: factors
and pages changed in place, the touched items and what they were. Like `udfs.memory.history_kernels`
it is exactly sequential, releases the interpreter lock and has a plain NumPy twin in the tests.
Names of sizes: `U` users in the cache, `H` history pages, `I` catalogue slots, `d` factors, `L`
items of the window, `n` events, `m` negatives.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE, mark, note
from udfs.memory.prefetch import LINE, prefetch
from udfs.memory.random_kernels import EVENT_STRIDE, next_random
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip, dot
from udfs.models.factors.window_kernels import (
    FLOOR,
    energy_of,
    learn_place,
    vector,
    window,
)

LOWEST = np.float32(-87.0)  # e to the power of less is no normal float32
LEAST_STEP = np.float32(1 / 16)  # a drawn item moves by less only by chance, and then by this much
BIAS_PACE = np.float32(2.0)  # an item's bias moves twice as fast as its factors
AHEAD = 3  # events from now that a user's history is asked for
USER_PACE = np.float32(2.0)  # a user has few events: the own factor moves twice as fast


@njit(cache=True, nogil=True, inline="always")
def _pace(spread, gain, rate):
    """Add a mean squared gradient to an accumulator; returns it and the step of AdaGrad."""
    spread = min(spread + gain, SPREAD_LIMIT)
    return spread, rate / np.sqrt(spread + FLOOR)


@njit(cache=True, nogil=True, inline="always")
def keep(step, regularisation):
    """What a step leaves of a row that is pulled towards 0."""
    return max(np.float32(1.0) - step * regularisation, np.float32(0.0))


@njit(cache=True, nogil=True, _nrt=False)
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


@njit(cache=True, nogil=True, _nrt=False)
def touch(j, touched, count, items):
    """Note item `j` with its values before this call; returns how many are noted.

    Args:
        touched: `Touched`, changed. items: `ItemFactors`.
    """
    q, y, spread, before, d = items.q, items.y, items.spread, touched.before, items.q.shape[1]
    touched.stamp[j] = touched.batch
    touched.slots[count] = j
    for f in range(d):
        before[count, f] = q[j, f]
    before[count, d] = items.bias[j]
    for f in range(3):
        before[count, d + 1 + f] = spread[j, f]
    for f in range(d):
        before[count, d + 4 + f] = y[j, f]
    return count + 1


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _score(j, v, q, bias):
    total = bias[j]
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
    return total


@njit(cache=True, nogil=True, _nrt=False, fastmath={"contract"})
def _exponentials(x, count):
    """Set the first `count` of x (float32[n], 0 or less) to (e^(x / 64))^64, by Taylor's series: to
    10⁻⁵ where it matters, and vectorised, which `np.exp` is not."""
    for k in range(count):
        y = max(x[k], LOWEST) * np.float32(1 / 64)
        r = np.float32(1 / 40320)
        r = r * y + np.float32(1 / 5040)
        r = r * y + np.float32(1 / 720)
        r = r * y + np.float32(1 / 120)
        r = r * y + np.float32(1 / 24)
        r = r * y + np.float32(1 / 6)
        r = r * y + np.float32(1 / 2)
        r = r * y + np.float32(1.0)
        r = r * y + np.float32(1.0)
        r *= r
        r *= r
        r *= r
        r *= r
        r *= r
        x[k] = r * r


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def _errors(chosen, m, represents, positive, v, q, bias, error):
    """Set `error` (float32[m + 1]) to how far each score should rise: of the event's item, which
    stands first in `chosen`, and of the m drawn."""
    error[0] = _score(chosen[0], v, q, bias)
    top = error[0]
    for k in range(1, m + 1):
        error[k] = _score(chosen[k], v, q, bias)
        top = max(top, error[k])
    if m == 0:
        top = max(top, np.float32(0.0))
    for k in range(m + 1):
        error[k] -= top
    _exponentials(error, m + 1)
    mine, others = error[0], np.exp(-top) if m == 0 else np.float32(0.0)
    for k in range(1, m + 1):
        others += represents * error[k]
    whole = mine + others
    scale = -represents / whole
    for k in range(m + 1):
        error[k] *= scale
    error[0] = others / whole if positive else -mine / whole


@njit(cache=True, nogil=True)
def learn(users, history, spare, items, batch, rule, draws, touched):
    """Matrix factorisation with a window of the history, by a sampled softmax, event by event.

    With v_u of `window_kernels.vectors`, from the history before the event, an item's score is
    s_j = b_j + q_j·v_u (the plain R ≈ UᵀV where L = 0). An event of weight w > 0 on item i follows
    the gradient of its log likelihood among all items that the user has not consumed. Of them m are
    drawn uniformly, each of which stands for c = (known − 1) / m items:

        P_i = exp(s_i) / Z,  P_j = c·exp(s_j) / Z,  Z = exp(s_i) + c·Σ_j exp(s_j)
        e_i = 1 − P_i,  e_j = −P_j;  g = Σ e·q
        q += η e v / √A;  b += 2η e / √A;  p_u += 2η g / √A
        r_k = c_k / √Σw;  y_h, q_h += η r_k ∘ g / √A;  c_k += η g ∘ (q_h + y_h) / √(A·Σw)

    Most e_j are tiny, and each touched item has to be told to its owner: where |e_j| < ε, the
    item j itself is moved with a chance of |e_j| / ε only, but by ε then (ε = `LEAST_STEP`); the
    mean is the same. g is summed from all.

    An event of weight w < 0 only lowers s_i, against the mean of those drawn (c = 1/m):
    e_i = −P_i. Where none is drawn, the score to compare with is 0. η is `rate`·|w|, at most 1;
    each row has its A, the sum of its mean squared gradients (AdaGrad: Duchi, Hazan, Singer 2011),
    each number of c its own; q, p and y of i, u and the window are pulled towards 0 by
    `regularisation` times the same step. Asymmetric factors: Koren 2008; the history by a sum over
    √: FISM, Kabbur et al. 2013; a matrix for each place of a window, here diagonal, over vectors
    that are also those of what comes next: the log-bilinear model of Mnih, Hinton 2007; sampled
    softmax with its correction: Jean et al. 2015. The window has no item i, unless `again`. An
    event with flag 1 is then appended to its user's history; of an item that stands there, the last
    event of a weight but 0 says whether it is liked.

    Args:
        users, history, spare, items: `UserFactors`, `History`, `Spare` and `ItemFactors`, changed.
        batch, rule, draws, touched: `Batch`, `Rule`, whose places are changed, `Draws`, `Touched`.

    Returns: how many items were touched.
    """
    p, user_spread, stamp, now = users.p, users.spread, touched.stamp, touched.batch
    q, y, bias, spread, alive = items.q, items.y, items.bias, items.spread, items.alive
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    event_users, event_items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    rate, regularisation, again = rule.rate, rule.regularisation, rule.again
    places, squares, scale = rule.places.weights, rule.places.squares, rule.places.scale
    negatives, known, random = draws.negatives, draws.size, draws.random
    eaten, since = draws.eaten, draws.event
    count, start, d = 0, random[0], q.shape[1]
    chosen, error = np.empty(negatives + 1, np.int32), np.empty(negatives + 1, np.float32)
    recent = np.empty(places.shape[0], np.int32)
    v, g = np.empty(d, np.float32), np.empty(d, np.float32)
    for e in range(event_users.shape[0]):
        user, target = event_users[e], event_items[e]
        if e + AHEAD < event_users.shape[0]:  # the histories of all users fit into no cache
            page = tail[event_users[e + AHEAD]]
            prefetch(older, page, 0)
            for k in range(0, PAGE, LINE):
                prefetch(pages, page, k)
        if target < 0:
            continue
        known = max(known, target + 1)
        step, positive = min(rate * abs(weights[e]), np.float32(1.0)), weights[e] > 0.0
        if step > 0.0:
            random[0] = start + np.uint64(e) * np.uint64(EVENT_STRIDE)
            mark(since + e, user, tail, fill, older, pages, eaten)
            eaten[target] = since + e
            chosen[0], m = target, 0
            for _ in range(negatives):
                j = _draw(known, random)
                if alive[j] and eaten[j] != since + e:
                    for f in range(0, d, LINE):
                        prefetch(q, j, f)
                    m += 1
                    chosen[m] = j
            length = window(user, -1 if again else target, history, alive, recent)
            part = scale[length]
            vector(p[user], q, y, recent, length, rule.places, v)
            represents = (known - 1) / max(negatives, 1) if positive else 1.0 / max(m, 1)
            _errors(chosen, m, np.float32(represents), positive, v, q, bias, error)
            g[:] = 0.0
            energy = dot(v, v) / np.float32(d)
            for k in range(m + 1 if positive else 1):
                j, by = chosen[k], error[k]
                for f in range(d):
                    g[f] += by * q[j, f]
                if k > 0 and -by < LEAST_STEP:
                    if _unit(random) * LEAST_STEP >= -by:
                        continue
                    by = -LEAST_STEP
                if stamp[j] != now:
                    count = touch(j, touched, count, items)
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
                j = recent[k]
                if stamp[j] != now:
                    count = touch(j, touched, count, items)
                energy = energy_of(g, places[k], part)
                spread[j, 0], s = _pace(spread[j, 0], energy, step)
                spread[j, 1], b = _pace(spread[j, 1], energy, step)
                paces = s, b, step
                learn_place(q[j], y[j], places[k], squares[k], g, part, paces, regularisation)
        note(target, user, flags[e] & 1 == 1, weights[e], history, spare)
    return count
