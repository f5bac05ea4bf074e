"""The compiled loop of explicit ratings: the factors of `udfs.models.factors.softmax_kernels` by
squared error.

In: the factors of users and items, the users' history pages and a batch of event rows, some of
them with a rating; out: factors and pages changed in place, the touched items and what they were,
and the error of each rating's prediction before it was learned. Exactly sequential, releases the
interpreter lock, with a plain NumPy twin in the tests. Names of sizes as there.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import note
from udfs.memory.vector_kernels import SPREAD_LIMIT, clip, dot
from udfs.models.factors.softmax_kernels import keep, pull, touch
from udfs.models.factors.window_kernels import pull_by_place, vector, window

USER_BIAS_PACE = np.float32(0.6)  # of the user's bias, as a part of the rate
FACTOR_PACE = np.float32(4.8)  # of p and q, in rates
WINDOW_PACE = np.float32(2.4)  # of y
PULL = np.float32(0.4)  # λ, in regularisations: what suits the softmax is too much here
PRIOR = np.float32(3.0)  # ratings that an item's bias of 0 counts as


@njit(cache=True, nogil=True)
def learn(users, history, spare, items, batch, rule, ratings, touched):
    """Matrix factorisation of ratings with biases and a window of the history, event by event.

    With v_u of `window_kernels.vectors`, from the history before the event, a rating r on item i is
    predicted, and learned as a step of descent on (r − r̂)² + λ(|p|² + |q|² + Σ share·|y|²):

        r̂ = μ + b_u + b_i + q_i·v_u;  ε = r − r̂;  e = ε / (1 + α(|v|² + |q|² + |q|² Σ share² / 2))
        q += α(e v − λq);  p_u += α(e q − λp);  y_h += α share_h (e q − λy) / 2
        b_u += α ε / 8;  b_i += ε / (n_i + 3);  μ += (r − μ) / n

    all from the values before the step, with α = 4.8 η and share_k = w_k / √Σw: what the places
    weigh stays as it begins, and an item of the window is y alone. n counts ratings, n_i those of
    the item up to 100. e is what the error would be after a step by e itself, to first order
    (Kulis, Bartlett 2010): no learning rate and no rating makes a step too far. ε is kept within
    ± `LIMIT`. Without μ's mean, the window and the divisor it is the rule of Koren, Bell, Volinsky
    2009. An event without a rating changes no factor. An event with flag 1 is then appended to its
    user's history.

    Args:
        users, history, spare, items: `UserFactors`, of which `spread` is b_u here, `History`,
            `Spare` and `ItemFactors`, of which the third column of `spread` is n_i; all changed.
        batch, ratings, touched: `Batch`, `Ratings` and `Touched`.
        rule: `Rule`, η and λ / `PULL`.

    Returns: how many items were touched.
    """
    p, user_bias, stamp, now = users.p, users.spread, touched.stamp, touched.batch
    q, y, bias, spread, alive = items.q, items.y, items.bias, items.spread, items.alive
    event_users, event_items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    values, mean, first, error = ratings.values, ratings.mean, ratings.first, ratings.error
    places, scale, rate = rule.places.weights, rule.places.scale, rule.rate
    again, count, d, recent = rule.again, 0, q.shape[1], np.empty(places.shape[0], np.int32)
    v, g = np.empty(d, np.float32), np.empty(d, np.float32)
    step, stride, pull_by = FACTOR_PACE * rate, WINDOW_PACE * rate, PULL * rule.regularisation
    for e in range(event_users.shape[0]):
        user, target, rating = event_users[e], event_items[e], np.float64(values[e])
        if target < 0:
            continue
        if np.isfinite(rating):
            length = window(user, -1 if again else target, history, alive, recent)
            part = scale[length]
            vector(p[user], q, y, recent, length, rule.places, v)
            theirs = np.float64(user_bias[user] + bias[target] + dot(v, q[target]))
            miss = rating - (mean[1] + theirs)
            if e >= first:
                error[0] += 1.0
                error[1] += miss * miss
            mean[0] += 1.0
            mean[1] += (rating - mean[1]) / mean[0]
            slope = clip(np.float32(rating - (mean[1] + theirs)))
            if stamp[target] != now:
                count = touch(target, touched, count, items)
            spread[target, 2] = min(spread[target, 2] + np.float32(1.0), SPREAD_LIMIT)
            user_bias[user] = clip(user_bias[user] + USER_BIAS_PACE * rate * slope)
            bias[target] = clip(bias[target] + slope / (spread[target, 2] + PRIOR))
            reach, squares = dot(q[target], q[target]), np.float32(0.0)
            for k in range(length):
                squares += (part * places[k, 0]) ** 2
            slope /= np.float32(1.0) + step * (dot(v, v) + reach) + stride * reach * squares
            for f in range(d):
                g[f] = slope * q[target, f]
                v[f] *= slope
            pull(q[target], v, step, keep(step, pull_by))
            pull(p[user], g, step, keep(step, pull_by))
            for k in range(length):
                j = recent[k]
                if stamp[j] != now:
                    count = touch(j, touched, count, items)
                pull_by_place(y[j], g, stride, places[k], part, pull_by)
        note(target, user, flags[e] & 1 == 1, weights[e], history, spare)
    return count
