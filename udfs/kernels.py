"""The few compiled loops of the learning step, called by both learners on NumPy arrays.

In: factor matrices and a batch of event rows; out: the same arrays changed in place. Each kernel is
exactly sequential (event by event), releases the interpreter lock, and has a plain NumPy twin in
the tests. Names of sizes: `U` users in the cache, `I` catalogue slots, `d` factors, `n` events.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PAGE = 32  # consumed items per history page: one page is one row of state
LIMIT = np.float32(16.0)  # the largest absolute value of a factor or bias
EVENT_STRIDE = 0xD1B54A32D192ED03  # odd, so no two events of a shard begin at the same state


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def dot(a, b):
    """Inner product of two float32[d]; `np.dot` in compiled code would need SciPy."""
    total = np.float32(0.0)
    for f in range(a.shape[0]):
        total += a[f] * b[f]
    return total


@njit(cache=True, nogil=True, inline="always")
def _clip(value):
    return min(max(value, -LIMIT), LIMIT)


@njit(cache=True, nogil=True)
def next_random(state):
    """Advance `state` (uint64[1]) and return 64 random bits: SplitMix64 (Steele et al. 2014)."""
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def initial_factors(keys, seed, out):
    """Fill `out` (float32[n, d]) with small factors that depend on `keys` (uint64[n]) and `seed`.

    Uniform on ±.1·√3, so a standard deviation of .1: every process draws the same start for a key.
    """
    state = np.zeros(1, np.uint64)
    for row in range(keys.shape[0]):
        state[0] = keys[row] ^ np.uint64(seed)
        for f in range(out.shape[1]):
            unit = np.float64(next_random(state) >> np.uint64(11)) * (1.0 / 9007199254740992.0)
            out[row, f] = np.float32((unit * 2.0 - 1.0) * 0.17320508)


@njit(cache=True, nogil=True)
def consumed(item, user, tail, fill, older, pages):
    """Whether catalogue slot `item` stands in the history pages of cache slot `user`."""
    page = tail[user]
    length = fill[user]
    while page >= 0:
        for k in range(length):
            if pages[page, k] == item:
                return True
        page = older[page]
        length = PAGE
    return False


@njit(cache=True, nogil=True)
def remember(users, items, flags, tail, fill, older, pages, free, free_count, sealed):
    """Append each flagged item to its user's history unless it stands there already.

    `free[:free_count]` are unused pages, at least one per event; a page that fills up is noted as
    `sealed[k] = (user, page)`. Returns (sealed pages, pages still free).
    """
    count = 0
    for e in range(users.shape[0]):
        user = users[e]
        if flags[e] & 1 == 0 or items[e] < 0:
            continue
        if consumed(items[e], user, tail, fill, older, pages):
            continue
        if tail[user] < 0 or fill[user] == PAGE:
            free_count -= 1
            page = free[free_count]
            older[page] = tail[user]
            tail[user] = page
            fill[user] = 0
        pages[tail[user], fill[user]] = items[e]
        fill[user] += 1
        if fill[user] == PAGE:
            sealed[count, 0] = user
            sealed[count, 1] = tail[user]
            count += 1
    return count, free_count


@njit(cache=True, nogil=True)
def decayed(value, at, ts, half_life):
    """`value` at time `at`, seen at `ts`: halved each `half_life` (all in ms); never grown."""
    return value * 2.0 ** (-max(ts - at, 0.0) / half_life)


@njit(cache=True, nogil=True)
def add_decayed(value, at, weight, ts, half_life):
    """Add `weight` of time `ts` to the decayed sum (`value`, `at`); returns the new pair."""
    if ts >= at:
        return decayed(value, at, ts, half_life) + weight, ts
    return value + decayed(weight, ts, at, half_life), at


@njit(cache=True, nogil=True)
def _step(p, q, user_bias, item_bias, user, item, target, rate, regularisation):
    x = user_bias[user] + item_bias[item] + dot(p[user], q[item])
    error = np.float32(target - 1.0 / (1.0 + np.exp(-np.float64(x))))
    for f in range(p.shape[1]):
        pf = p[user, f]
        qf = q[item, f]
        p[user, f] = _clip(pf + rate * (error * qf - regularisation * pf))
        q[item, f] = _clip(qf + rate * (error * pf - regularisation * qf))
    user_bias[user] = _clip(user_bias[user] + rate * (error - regularisation * user_bias[user]))
    item_bias[item] = _clip(item_bias[item] + rate * (error - regularisation * item_bias[item]))


@njit(cache=True, nogil=True)
def learn(
    p, user_bias, tail, fill, older, pages,
    q, item_bias, alive, size,
    users, items, weights,
    rate, regularisation, negatives, random,
    stamp, batch, touched, before, before_bias,
):  # fmt: skip
    """Matrix factorisation by stochastic gradient descent on the logistic loss, event by event.

    For an event of weight w on item i by user u, with σ the logistic function and
    x = b_u + b_i + p_u·q_i, a step of size η|w| (at most 1) follows the gradient of the log
    likelihood of target 1 (w > 0) or 0 (w < 0):

        e = target − σ(x);  p_u += η|w|(e·q_i − λp_u);  q_i += η|w|(e·p_u − λq_i);  b likewise

    A positive event is followed by the same step with target 0 on `negatives` items drawn uniformly
    from the catalogue, none that the user has consumed (Koren, Bell, Volinsky 2009, with implicit
    targets; the ranking score is R ≈ UᵀV with item biases).

    Args:
        p, user_bias: float32[U, d], float32[U], changed in place.
        tail, fill, older, pages: the users' history pages, read only (see `remember`).
        q, item_bias, alive: float32[I, d], float32[I], bool[I]; the first `size` slots are in use.
        users, items, weights: int32[n], int32[n] (−1: outside the catalogue), float32[n].
        rate, regularisation: float32, η and λ. negatives: draws per positive event.
        random: uint64[1], the generator's state at the first event; each further event begins
            `EVENT_STRIDE` later, so that its draws do not depend on how events are batched.
        stamp: int64[I], `batch` where an item was touched by this call.
        touched, before, before_bias: int32[m], float32[m, d], float32[m]: the touched items in
            order with their values before the call; m = n·(1 + negatives) is always enough.

    Returns: how many items were touched.
    """
    count = 0
    start = random[0]
    for e in range(users.shape[0]):
        random[0] = start + np.uint64(e) * np.uint64(EVENT_STRIDE)
        user = users[e]
        step = min(rate * abs(weights[e]), np.float32(1.0))
        if step == 0.0 or items[e] < 0:
            continue
        positive = weights[e] > 0.0
        for draw in range(negatives + 1 if positive else 1):
            item = items[e]
            if draw > 0:
                item = np.int32(next_random(random) % np.uint64(size))
                if (
                    item == items[e]
                    or not alive[item]
                    or consumed(item, user, tail, fill, older, pages)
                ):
                    continue
            if stamp[item] != batch:
                stamp[item] = batch
                touched[count] = item
                before[count] = q[item]
                before_bias[count] = item_bias[item]
                count += 1
            target = 1.0 if positive and draw == 0 else 0.0
            _step(p, q, user_bias, item_bias, user, item, target, step, regularisation)
    return count


@njit(cache=True, nogil=True)
def add_popularity(items, weights, ts, half_life, value, at, events):
    """Add events to the decayed popularity of their items.

    Args:
        items, weights, ts: int32[n] (negative: skipped), float32[n], int64[n] ms. Weights ≤ 0 count
            as events but add no popularity. half_life: ms.
        value, at: float64[I]: the decayed sum and its time in ms; events: int64[I]. All changed in
            place.
    """
    for e in range(items.shape[0]):
        j = items[e]
        if j < 0:
            continue
        weight = max(np.float64(weights[e]), 0.0)
        value[j], at[j] = add_decayed(value[j], at[j], weight, np.float64(ts[e]), half_life)
        events[j] += 1


@njit(cache=True, nogil=True)
def changes(touched, before, before_bias, q, bias, out):
    """What the touched items (int32[m]) have gained: factors and bias less those before.

    Args:
        before, before_bias: float32[m, d], float32[m]. q, bias: float32[I, d], float32[I].
        out: float32[m, d + 1], set.
    """
    d = q.shape[1]
    for k in range(touched.shape[0]):
        for f in range(d):
            out[k, f] = q[touched[k], f] - before[k, f]
        out[k, d] = bias[touched[k]] - before_bias[k]


@njit(cache=True, nogil=True)
def lengths(q, items, out):
    """Set `out` (float32[I]) to the Euclidean length of the factors of `items` (int32[m])."""
    for k in range(items.shape[0]):
        out[items[k]] = np.sqrt(dot(q[items[k]], q[items[k]]))


@njit(cache=True, nogil=True)
def apply_changes(
    items, change, weight, weight_at, events, seen, half_life,
    q, bias, value, at, count, last,
):  # fmt: skip
    """Add changes to distinct items (int32[m], negative: skipped).

    Args:
        change, weight, weight_at, events: float32[m, d + 1], float64[m], float64[m] ms, int64[m]:
            of factors and bias, a decayed sum of positive weights and its time, events.
        seen: ms, the time of those that had events. half_life: ms.
        q, bias, value, at, count, last: the items' columns, as in `add_popularity`, changed.
    """
    d = q.shape[1]
    for k in range(items.shape[0]):
        j = items[k]
        if j < 0:
            continue
        for f in range(d):
            q[j, f] = _clip(q[j, f] + change[k, f])
        bias[j] = _clip(bias[j] + change[k, d])
        value[j], at[j] = add_decayed(value[j], at[j], weight[k], weight_at[k], half_life)
        count[j] += events[k]
        if events[k] > 0:
            last[j] = seen
