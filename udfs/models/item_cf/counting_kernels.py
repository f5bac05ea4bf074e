"""The compiled loops that count what is taken together.

In: a batch of event rows, history pages, bounded rows of neighbours; out: the rows changed in
place. Like `udfs.memory.history_kernels` they release the interpreter lock and are exactly
sequential; their plain twin stands in the tests. Names of sizes: `U` users in the cache, `I`
catalogue slots, `K` neighbours of an item, `L` history items an event is paired with, `n` events.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import judge, recent, stands

HEAVIEST = np.float32(16.0)  # the largest weight of an event: one event cannot fill a row
STEP = 32.0  # log2 of what a renormalisation divides by: a power of two, so it rounds nothing


@njit(cache=True, nogil=True)
def _find(table, row, length, value):
    """The first of `table[row, :length]` that equals `value`, or `length`.

    Looks at all of them, without a branch: vectorised, it is faster than stopping.
    """
    first = np.int32(length)
    for k in range(np.int32(length)):
        first = min(first, np.int32(k) if table[row, k] == value else np.int32(length))
    return first


@njit(cache=True, nogil=True)
def _least(bits, row):
    """The smallest of a full row of numbers above 0, of which `bits` is the same as int32: their
    order is the same, and integers are what is vectorised."""
    least = bits[row, 0]
    for k in range(bits.shape[1]):
        least = min(least, bits[row, k])
    return least


@njit(cache=True, nogil=True)
def add_pair(ids, values, bits, row, length, other, value):
    """Add `value` to the neighbour `other` of a row; returns the row's new length.

    In a full row a newcomer replaces the neighbour with the smallest value, the first of equal
    ones, and begins at `value`: what is kept is never more than was counted. (Taking over the
    replaced count, as space-saving does, makes chance newcomers outweigh true neighbours.)

    Args:
        ids, values, bits: int32[I, K], float32[I, K], the same memory as int32[I, K]; the first
            `length` of the row are in use. Changed in place.
    """
    at = _find(ids, row, length, other)
    if at < length:
        values[row, at] += value
        return length
    if length == ids.shape[1]:
        at = _find(bits, row, length, _least(bits, row))
    ids[row, at] = other
    values[row, at] = value
    return max(length, at + 1)


@njit(cache=True, nogil=True)
def renormalise(values, counts):
    """Divide `values` (float32[I, K]) and `counts` (float64[I]) by 2³²."""
    for j in range(counts.shape[0]):
        if counts[j] > 0.0 or values[j, 0] > 0.0:
            counts[j] *= 2.0**-STEP
            for k in range(values.shape[1]):
                values[j, k] *= np.float32(2.0**-STEP)


@njit(cache=True, nogil=True)
def windows(batch, history, reach, latest, out):
    """What each event of a batch is paired with: the last items of its user, before it.

    Events whose item is negative or stands in the user's history already, and those of weight 0 and
    less, teach no pairs, nor is a later event paired with what its user did not like. A consumption
    (flag 1) belongs to the history of the batch's later events, and so does a later word on what
    was consumed (`history_kernels.judge`); the pages are left as they were before the batch.

    Where histories have `repeats`, each event of an item teaches, and may be paired with an earlier
    one of the same item: a user may return to it.

    Args:
        batch, history: `Batch` and `History`.
        reach: L, at most 255. latest: int32[U], all −1, left so.
        out: `Windows` with room for n events and n·L pairs, set but for `order`.

    Returns: m, how many events teach.
    """
    users, items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    tail, fill, older, pages = history.tail, history.fill, history.older, history.pages
    disliked, who, heads, gains = history.disliked, out.users, out.heads, out.gains
    repeats = history.repeats
    starts, others, distances = out.starts, out.others, out.distances
    count = end = 0
    last = np.empty(reach, np.int32)
    previous = np.empty(users.shape[0], np.int32)
    liked = weights > 0.0
    judged = 0
    again = np.empty(users.shape[0], np.int32)
    starts[0] = 0
    for e in range(users.shape[0]):
        user, item = users[e], items[e]
        if item < 0:
            continue
        # The history is what this batch has added, newest first, and then the pages.
        before = latest[user]
        same = before
        while same >= 0 and items[same] != item:
            same = previous[same]
        if repeats and before >= 0:
            stood = same == before
        else:
            stood = same >= 0 or stands(item, user, repeats, tail, fill, older, pages)
        if weights[e] != 0.0 and (stood or flags[e] & 1 == 0):
            if same >= 0:
                liked[same] = liked[e]
            elif judge(item, user, liked[e], tail, fill, older, pages, disliked) >= 0:
                again[judged] = e
                judged += 1
        if stood and not repeats:
            continue
        if weights[e] > 0.0:
            found, link = 0, before
            while link >= 0 and found < reach:
                last[found] = items[link] if liked[link] else -1
                found += 1
                link = previous[link]
            found = recent(user, history, found, last)
            who[count] = user
            heads[count] = item
            gains[count] = min(weights[e], HEAVIEST)
            for d in range(found):
                if last[d] >= 0:
                    others[end] = last[d]
                    distances[end] = d
                    end += 1
            count += 1
            starts[count] = end
        if flags[e] & 1 and not stood:
            previous[e] = before
            latest[user] = e
    for k in range(judged - 1, -1, -1):
        e = again[k]
        judge(items[e], users[e], not liked[e], tail, fill, older, pages, disliked)
    for e in range(users.shape[0]):
        latest[users[e]] = -1
    return count


@njit(cache=True, nogil=True)
def select(windows, shards, shard, place, used, out):
    """The part of `windows` with an item of one shard at either end, items renumbered.

    Args:
        windows: `Windows`.
        shards: int32[I], the shard of each item. place: int32[I], all −1, left so.
        used: int32[k], set to the item of each new number.
        out: `Windows` with room for as many, set but for `users`.

    Returns: (events, pairs, new numbers).
    """
    order, heads, gains = windows.order, windows.heads, windows.gains
    starts, others, distances = windows.starts, windows.others, windows.distances
    out_order, out_heads, out_gains = out.order, out.heads, out.gains
    out_starts, out_others, out_distances = out.starts, out.others, out.distances
    events = pairs = names = 0
    out_starts[0] = 0
    for e in range(heads.shape[0]):
        whole = shards[heads[e]] == shard
        begin = pairs
        for k in range(starts[e], starts[e + 1]):
            j = others[k]
            if whole or shards[j] == shard:
                if place[j] < 0:
                    place[j] = names
                    used[names] = j
                    names += 1
                out_others[pairs] = place[j]
                out_distances[pairs] = distances[k]
                pairs += 1
        if whole or pairs > begin:
            j = heads[e]
            if place[j] < 0:
                place[j] = names
                used[names] = j
                names += 1
            out_order[events] = order[e]
            out_heads[events] = place[j]
            out_gains[events] = gains[e]
            events += 1
            out_starts[events] = pairs
    for k in range(names):
        place[used[k]] = -1
    return events, pairs, names


@njit(cache=True, nogil=True)
def count(windows, head_rows, other_rows, table, pace, touched):
    """Count the pairs of events, one event after the other.

    The k-th event that was learned, of weight w on item x with the items h_1 (the last), …, h_L
    before it, adds with g = 2^(`log_gain` + k·`growth`) and f_d = `forward[d − 1]`

        n_x += g·w;  C[h_d → x] += g·w·f_d;  C[x → h_d] += g·w·f_d·backward

    so that older events weigh less by 2^growth per event learned since (forward decay: Cormode et
    al. 2009). Who owns only some of the items gives the others no row and leaves their part out.

    Args:
        windows: `Windows`, items by name; `order` is k of each event.
        head_rows, other_rows: int32[m], int32[p], the rows of `heads` and `others`, −1: none here.
        table, pace, touched: `Counts`, `Pace` and `Changed`.

    Returns: (changed rows, log_gain less what was divided out of `values` and `counts`).
    """
    order, heads, gains = windows.order, windows.heads, windows.gains
    starts, others, distances = windows.starts, windows.others, windows.distances
    ids, values, lengths, counts = table.ids, table.values, table.lengths, table.counts
    log_gain, growth, forward, backward = pace.log_gain, pace.growth, pace.forward, pace.backward
    stamp, batch, rows = touched.stamp, touched.batch, touched.rows
    changed = 0
    bits = values.view(np.int32)
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
                rows[changed] = x
                changed += 1
        for k in range(starts[e], starts[e + 1]):
            h, value = other_rows[k], gain * forward[distances[k]]
            if h >= 0:
                lengths[h] = add_pair(ids, values, bits, h, lengths[h], item, value)
                if stamp[h] != batch:
                    stamp[h] = batch
                    rows[changed] = h
                    changed += 1
            if x >= 0:
                value *= backward
                lengths[x] = add_pair(ids, values, bits, x, lengths[x], others[k], value)
    return changed, log_gain
