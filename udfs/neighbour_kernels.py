"""The compiled loops of item-based collaborative filtering: counting pairs and ranking by them.

In: a batch of event rows, history pages, bounded rows of neighbours; out: the rows changed in
place, ranked slots, and the history items behind them. Like `udfs.kernels` they release the
interpreter lock and are exactly sequential; their plain twin stands in the tests. Names of sizes:
`U` users in the cache, `I` catalogue slots, `K` neighbours of an item, `L` history items an event
is paired with, `H` history items a list is made from, `n` events, `N` items of a list.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from udfs.kernels import PAGE, consumed
from udfs.list_kernels import insert

HEAVIEST = np.float32(16.0)  # the largest weight of an event: one event cannot fill a row
STEP = 32.0  # log2 of what a renormalisation divides by: a power of two, so it rounds nothing


@njit(cache=True, nogil=True)
def recent(user, tail, fill, older, pages, begin, out):
    """Set `out[begin:]` (int32) to the last items of a history, newest first; returns the end."""
    page, stop = tail[user], fill[user]
    while page >= 0:
        for k in range(stop - 1, -1, -1):
            if begin >= out.shape[0]:
                return begin
            out[begin] = pages[page, k]
            begin += 1
        page, stop = older[page], PAGE
    return begin


@njit(cache=True, nogil=True)
def add_pair(ids, values, length, other, value):
    """Add `value` to the neighbour `other` of one row; returns the row's new length.

    In a full row a newcomer replaces the neighbour with the smallest value, the first of equal
    ones, and begins at `value`: what is kept is never more than was counted. (Taking over the
    replaced count, as space-saving does, makes chance newcomers outweigh true neighbours.)

    Args:
        ids, values: int32[K], float32[K], the first `length` in use, changed in place.
    """
    for k in range(length):
        if ids[k] == other:
            values[k] += value
            return length
    if length < ids.shape[0]:
        ids[length] = other
        values[length] = value
        return length + 1
    least = 0
    for k in range(1, length):
        if values[k] < values[least]:
            least = k
    ids[least] = other
    values[least] = value
    return length


@njit(cache=True, nogil=True)
def renormalise(values, counts):
    """Divide `values` (float32[I, K]) and `counts` (float64[I]) by 2³²."""
    for j in range(counts.shape[0]):
        if counts[j] > 0.0 or values[j, 0] > 0.0:
            counts[j] *= 2.0**-STEP
            for k in range(values.shape[1]):
                values[j, k] *= np.float32(2.0**-STEP)


@njit(cache=True, nogil=True)
def windows(
    users, items, weights, flags, tail, fill, older, pages, reach, latest,
    heads, gains, starts, others, distances,
):  # fmt: skip
    """What each event of a batch is paired with: the last items of its user, before it.

    Events whose item is negative or stands in the user's history already, and those of weight 0 and
    less, teach no pairs. A consumption (flag 1) belongs to the history of the batch's later events;
    the pages are read only, and stay as they were before the batch.

    Args:
        users, items, weights, flags: int32[n], int32[n], float32[n], uint8[n].
        tail, fill, older, pages: the users' history pages (see `kernels.remember`).
        reach: L, at most 255. latest: int32[U], all −1, left so.
        heads, gains: int32[n], float32[n], set: item and weight (at most `HEAVIEST`) of each of the
            m events that teach.
        starts: int32[n + 1], set: event k is paired with `others[starts[k] : starts[k + 1]]`.
        others, distances: int32[n·L], uint8[n·L], set: items, the newest first, with the distance
            of each less one.

    Returns: m.
    """
    count = end = 0
    last = np.empty(reach, np.int32)
    previous = np.empty(users.shape[0], np.int32)
    starts[0] = 0
    for e in range(users.shape[0]):
        user, item = users[e], items[e]
        if item < 0:
            continue
        # The history is what this batch has added, newest first, and then the pages.
        known, found, link = False, 0, latest[user]
        while link >= 0 and not known:
            known = items[link] == item
            if found < reach:
                last[found] = items[link]
                found += 1
            link = previous[link]
        if known or consumed(item, user, tail, fill, older, pages):
            continue
        if weights[e] > 0.0:
            found = recent(user, tail, fill, older, pages, found, last)
            heads[count] = item
            gains[count] = min(weights[e], HEAVIEST)
            for d in range(found):
                others[end + d] = last[d]
                distances[end + d] = d
            end += found
            count += 1
            starts[count] = end
        if flags[e] & 1:
            previous[e] = latest[user]
            latest[user] = e
    for e in range(users.shape[0]):
        latest[users[e]] = -1
    return count


@njit(cache=True, nogil=True)
def count(
    order, head_rows, heads, gains, starts, other_rows, others, distances,
    ids, values, lengths, counts, log_gain, growth, forward, backward, stamp, batch, touched,
):  # fmt: skip
    """Count the pairs of events, one event after the other.

    The k-th event that was learned, of weight w on item x with the items h_1 (the last), …, h_L
    before it, adds with g = 2^(`log_gain` + k·`growth`) and f_d = `forward[d − 1]`

        n_x += g·w;  C[h_d → x] += g·w·f_d;  C[x → h_d] += g·w·f_d·backward

    so that older events weigh less by 2^growth per event learned since (forward decay: Cormode et
    al. 2009). Who owns only some of the items gives the others no row and leaves their part out.

    Args:
        order: int32[m], ascending, k of each event.
        head_rows, heads, gains: int32[m], int32[m], float32[m]: row (−1: none here), name and w.
        starts, other_rows, others, distances: int32[m + 1], int32[p], int32[p], uint8[p]: the items
            paired with event k stand from `starts[k]` to `starts[k + 1]` (see `windows`).
        ids, values, lengths: int32[I, K], float32[I, K], int32[I]: C by rows, names of neighbours
            in `ids`, changed in place. counts: float64[I], n, changed in place.
        log_gain, growth: float64, ≥ 0. forward: float32[L]. backward: float32, ≥ 0.
        stamp: int64[I], `batch` where this call changed a row.
        touched: int32[min(I, m + p)], set to the changed rows.

    Returns: (changed rows, log_gain less what was divided out of `values` and `counts`).
    """
    changed = 0
    for e in range(head_rows.shape[0]):
        now = log_gain + growth * order[e]
        while now >= STEP:
            renormalise(values, counts)
            log_gain -= STEP
            now -= STEP
        gain = np.float32(2.0**now) * gains[e]
        x, item = head_rows[e], heads[e]
        if x >= 0:
            counts[x] += gain
            if stamp[x] != batch:
                stamp[x] = batch
                touched[changed] = x
                changed += 1
        for k in range(starts[e], starts[e + 1]):
            h, value = other_rows[k], gain * forward[distances[k]]
            if h >= 0:
                lengths[h] = add_pair(ids[h], values[h], lengths[h], item, value)
                if stamp[h] != batch:
                    stamp[h] = batch
                    touched[changed] = h
                    changed += 1
            if x >= 0:
                lengths[x] = add_pair(ids[x], values[x], lengths[x], others[k], value * backward)
    return changed, log_gain


@njit(cache=True, nogil=True)
def _pull(item, place, position, counts, gain, shrink, power):
    """What a history item multiplies its row by: w_h / (n_h + shrink)^power / g."""
    return np.float32(position[place] * (counts[item] / gain + shrink) ** -power / gain)


@njit(cache=True, nogil=True)
def rank(
    users, exclude, tail, fill, older, pages, ids, values, lengths, counts, alive,
    gain, shrink, target_power, source_power, position, damping, damped, call,
    total, found, items, scores,
):  # fmt: skip
    """The living items with the largest score of each user, best first, equal ones by lower slot.

        s_j = Σ_h w_h·C[h → j]/g / (n_h/g + shrink)^source_power / (n_j/g + shrink)^target_power

    over the last H items h of the history, w_h = `position[k]` for the k-th newest.

    Args:
        users: int32[rows], cache slots. exclude: leave out what each user has consumed.
        tail, fill, …, counts: as in `learn`, read only. alive: bool[I].
        gain: float64, g. shrink, target_power, source_power: float64, > 0, ≥ 0, ≥ 0.
        position: float64[H].
        damping, damped: float32[I], int64[I]: (n_j/g + shrink)^−target_power where `damped` is
            `call`; both are kept between calls.
        total: float32[I], all 0, left so. found: int32[I], scratch.
        items, scores: int32[rows, N], float32[rows, N], set; −1 and −inf where a row has fewer
            than N items.
    """
    last = np.empty(position.shape[0], np.int32)
    n = items.shape[1]
    for r in range(users.shape[0]):
        items[r, :] = -1
        scores[r, :] = -np.inf
        count = 0
        for place in range(recent(users[r], tail, fill, older, pages, 0, last)):
            h = last[place]
            pull = _pull(h, place, position, counts, gain, shrink, source_power)
            for k in range(lengths[h]):
                part = pull * values[h, k]
                if part > 0.0:
                    j = ids[h, k]
                    if total[j] == 0.0:
                        found[count] = j
                        count += 1
                    total[j] += part
        if exclude:
            page, stop = tail[users[r]], fill[users[r]]
            while page >= 0:
                for k in range(stop):
                    total[pages[page, k]] = 0.0
                page, stop = older[page], PAGE
        for k in range(count):
            j = found[k]
            if total[j] > 0.0 and alive[j]:
                if damped[j] != call:
                    damped[j] = call
                    damping[j] = (counts[j] / gain + shrink) ** -target_power
                score = total[j] * damping[j]
                if score > scores[r, n - 1] or (score == scores[r, n - 1] and j < items[r, n - 1]):
                    insert(j, score, items[r], scores[r])
            total[j] = 0.0


@njit(cache=True, nogil=True)
def explain(
    users, items, tail, fill, older, pages, ids, values, lengths, counts,
    gain, shrink, source_power, position, shown, reasons, shares,
):  # fmt: skip
    """The history items that gave most of the score of each item of a list, the largest first.

    Args:
        users, items: int32[rows], int32[rows, N]: cache slots and their lists (negative: ends one).
        tail, fill, …, position: as in `rank`.
        shown: int32[I], all 0, left so.
        reasons, shares: int32[rows, N, R], float32[rows, N, R], set: slots, −1 where there are
            fewer, and their parts of the score, 0 to 1; equal ones newest first.
    """
    last = np.empty(position.shape[0], np.int32)
    whole = np.empty(items.shape[1], np.float32)
    for r in range(users.shape[0]):
        reasons[r] = -1
        shares[r] = 0.0
        whole[:] = 0.0
        width = 0
        while width < items.shape[1] and items[r, width] >= 0:
            shown[items[r, width]] = width + 1
            width += 1
        for place in range(recent(users[r], tail, fill, older, pages, 0, last)):
            h = last[place]
            pull = _pull(h, place, position, counts, gain, shrink, source_power)
            for k in range(lengths[h]):
                at = shown[ids[h, k]] - 1
                part = pull * values[h, k]
                if at >= 0 and part > 0.0:
                    whole[at] += part
                    _insert_reason(h, part, reasons[r, at], shares[r, at])
        for at in range(width):
            shown[items[r, at]] = 0
            if whole[at] > 0.0:
                shares[r, at] /= whole[at]


@njit(cache=True, nogil=True)
def _insert_reason(item, part, items, parts):
    """Put a part into descending `parts`, after equal ones."""
    k = items.shape[0] - 1
    if part <= parts[k]:
        return
    while k > 0 and parts[k - 1] < part:
        parts[k] = parts[k - 1]
        items[k] = items[k - 1]
        k -= 1
    parts[k] = part
    items[k] = item
