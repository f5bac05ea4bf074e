"""The compiled loops of rows of pairs in transit: joined, packed, read.

In: gathered messages, rows of neighbours, rows of the item feed. Out: arrays of one call, or rows
changed in place. Like `udfs.memory.history_kernels` they release the interpreter lock and have
plain twins in the tests. Names of sizes: `I` rows, `K` neighbours of a row, `r` rows given, `k`
neighbours of all of them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.models.item_cf import feed_rows

_MOST = np.float32(feed_rows.MOST)


@njit(cache=True, nogil=True)
def join(sizes, windows, numbers, rows, out, row_of_head, row_of_other):
    """Let the windows of several messages follow each other as if they were of one batch.

    Args:
        sizes: int64[M, 4], learned events, keys, events and pairs of each message.
        windows: `Windows`, those of all messages one after the other, items by position in the keys
            of their message.
        numbers, rows: int32[keys], the number and the row (−1: none) of each key.
        out: `Windows` with as much room, set but for `users`; items by number.
        row_of_head, row_of_other: int32[events], int32[pairs], set.
    """
    order, heads, starts, others = windows.order, windows.heads, windows.starts, windows.others
    out_order, out_heads, out_starts, out_others = out.order, out.heads, out.starts, out.others
    learned = keys = event = pair = 0
    out_starts[0] = 0
    for m in range(sizes.shape[0]):
        for e in range(event, event + sizes[m, 2]):
            out_order[e] = order[e] + learned
            out_heads[e] = numbers[keys + heads[e]]
            row_of_head[e] = rows[keys + heads[e]]
            out_starts[e + 1] = starts[m + e + 1] + pair  # each message has one more than events
        for p in range(pair, pair + sizes[m, 3]):
            out_others[p] = numbers[keys + others[p]]
            row_of_other[p] = rows[keys + others[p]]
        learned += sizes[m, 0]
        keys += sizes[m, 1]
        event += sizes[m, 2]
        pair += sizes[m, 3]


@njit(cache=True, nogil=True)
def pack(rows, table, clock, gain, keys, begins, out):
    """Write `rows` (int32[r]) as `wire.pack_row` does, one after the other.

    Args:
        table: `Counts`. clock, gain: as in `Neighbours`. keys: uint64[…], the key of each number.
        begins: int64[r], where each begins in `out`: uint32[words], set.
    """
    ids, values, lengths, counts = table.ids, table.values, table.lengths, table.counts
    weight = np.empty(1, np.float64)
    bits, floats = weight.view(np.uint64), out.view(np.float32)
    low = np.uint64(0xFFFFFFFF)
    for r in range(rows.shape[0]):
        row, at = rows[r], begins[r]
        length = lengths[row]
        out[at] = np.uint32(1) | (np.uint32(length) << np.uint32(16))
        out[at + 1] = 0
        weight[0] = counts[row] / gain
        out[at + 2] = np.uint32(np.uint64(clock) & low)
        out[at + 3] = np.uint32(np.uint64(clock) >> np.uint64(32))
        out[at + 4] = np.uint32(bits[0] & low)
        out[at + 5] = np.uint32(bits[0] >> np.uint64(32))
        for k in range(length):
            key = keys[ids[row, k]]
            out[at + 6 + 2 * k] = np.uint32(key & low)
            out[at + 7 + 2 * k] = np.uint32(key >> np.uint64(32))
            floats[at + 6 + 2 * length + k] = np.float32(values[row, k] / gain)


@njit(cache=True, nogil=True)
def shorten(rows, table, gain, place, used, sizes, numbers, shares):
    """Write `rows` (int32[r]) for the item feed: neighbours by position in a list of all that
    occur, values as a share of the row's largest.

    Args:
        table: `Counts`. gain: as in `Neighbours`.
        place: int32[…], by number, all −1, left so. used: int32[k], set to the number at each
            position.
        sizes: float32[r], the largest value of each row, set.
        numbers, shares: int32[k], uint16[k], set.

    Returns: how many positions.
    """
    ids, values, lengths = table.ids, table.values, table.lengths
    names = end = 0
    for r in range(rows.shape[0]):
        row = rows[r]
        largest = np.float32(0.0)
        for k in range(lengths[row]):
            largest = max(largest, values[row, k])
        sizes[r] = largest / gain
        scale = _MOST / max(largest, np.float32(1e-30))
        for k in range(lengths[row]):
            number = ids[row, k]
            if place[number] < 0:
                place[number] = names
                used[names] = number
                names += 1
            numbers[end] = place[number]
            shares[end] = np.uint16(values[row, k] * scale + np.float32(0.5))
            end += 1
    for n in range(names):
        place[used[n]] = -1
    return names


@njit(cache=True, nogil=True)
def put(rows, starts, slots, values, counts, table):
    """Set rows to what the item feed says of them.

    Args:
        rows: int32[r], −1: skipped. starts: int64[r + 1], where the neighbours of each stand.
        slots, values: int32[k], float32[k], neighbours and g·count of each; of a row longer than K
            the first are kept. counts: float64[r], g·n.
        table: `Counts`, changed.
    """
    ids, held, lengths, weights = table.ids, table.values, table.lengths, table.counts
    for r in range(rows.shape[0]):
        row = rows[r]
        if row < 0:
            continue
        length = min(starts[r + 1] - starts[r], ids.shape[1])
        lengths[row], weights[row] = length, counts[r]
        for k in range(length):
            ids[row, k] = slots[starts[r] + k]
            held[row, k] = values[starts[r] + k]
        held[row, length:] = 0


@njit(cache=True, nogil=True)
def masses(rows, table, gain, out):
    """Set `out` (float64[r]) to the sum of the counts in each of `rows` (int32[r]).

    Args:
        table: `Counts`. gain: as in `Neighbours`.
    """
    values, lengths = table.values, table.lengths
    for r in range(rows.shape[0]):
        total = np.float32(0.0)
        for k in range(lengths[rows[r]]):
            total += values[rows[r], k]
        out[r] = total / gain
