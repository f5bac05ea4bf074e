"""The compiled loops that read counted pairs: evidence, similar items, reasons.

In: history pages and rows of neighbours; out: amounts by item, ranked slots, the history items
behind them. Like all kernels they release the interpreter lock and have plain twins in the tests.
Names of sizes: `U` users in the cache, `I` catalogue slots, `K` neighbours of an item, `H` history
items a list is made from, `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import among, recent
from udfs.memory.prefetch import LINE, prefetch
from udfs.memory.top_kernels import insert
from udfs.models.evidence import fallen, line, speaks


class Pairs(NamedTuple):
    """Counted pairs and how they are scored.

    Attributes:
        ids, values, lengths, counts: as in `count`. gain: float64, g.
        shrink, target_power, source_power: float64, > 0, ≥ 0, ≥ 0.
        position: float64[H], the weights of the last H items of a history.
    """

    ids: Any
    values: Any
    lengths: Any
    counts: Any
    gain: float
    shrink: float
    target_power: float
    source_power: float
    position: Any


@njit(cache=True, nogil=True)
def gather(pairs, user, history, evidence, touched):
    """Add to `evidence` what the neighbours of a user's last items say.

        s_j = Σ_h w_h·C[h → j]/g / (n_h/g + shrink)^source_power

    over the last H items h of the history, w_h = `position[k]` for the k-th newest, less than 0 by
    as much for one that the user did not like. Times `damp` it is the score of j.

    Args:
        pairs: `Pairs`, read only. user: a cache slot. history: `History`.
        evidence, touched: as in `udfs.models.evidence.speaks`.
    """
    # Members of a tuple are taken out of it before a loop: inside they would be counted each time.
    position, ids, values = pairs.position, pairs.ids, pairs.values
    lengths, counts = pairs.lengths, pairs.counts
    last = np.empty(position.shape[0], np.int32)
    length = recent(user, history, 0, last)
    for place in range(length):
        h = last[place] if last[place] >= 0 else -1 - last[place]
        for k in range(0, 4 * LINE, LINE):  # the processor guesses the rest of a row
            prefetch(ids, h, k)
            prefetch(values, h, k)
    for place in range(length):
        h, sign = last[place], 1.0
        if h < 0:
            h, sign = -1 - h, -1.0
        if h >= counts.shape[0]:
            continue
        fall = fallen(counts[h] / pairs.gain + pairs.shrink, pairs.source_power)
        weight = np.float32(sign * position[place] * fall / pairs.gain)
        for k in range(lengths[h]):
            j = np.uint32(ids[h, k])  # unsigned, since a signed index may count from the end
            evidence[j] += weight * values[h, k]
            touched[line(j)] = 1


@njit(cache=True, nogil=True)
def damp(pairs, slots, out):
    """(n_j/g + shrink)^−target_power, the damping of items that are taken much."""
    counts, gain, shrink, power = pairs.counts, pairs.gain, pairs.shrink, pairs.target_power
    for k in range(slots.shape[0]):
        n = counts[slots[k]] if slots[k] < counts.shape[0] else 0.0
        out[k] = fallen(n / gain + shrink, power)


speaks(Pairs, gather, damp)


@njit(cache=True, nogil=True)
def similar(slots, pairs, alive, items, scores):
    """The living neighbours with the largest C[h → j]/g / (n_j/g + shrink)^target_power of each h.

    Args:
        slots: int32[rows], the items h, below the room. alive: bool[I].
        items, scores: int32[rows, N], float32[rows, N], set, best first, equal ones by lower slot;
            −1 and −inf where a row has fewer than N.
    """
    ids, values, lengths, counts = pairs.ids, pairs.values, pairs.lengths, pairs.counts
    n = items.shape[1]
    for r in range(slots.shape[0]):
        items[r, :] = -1
        scores[r, :] = -np.inf
        h, row, best = slots[r], items[r], scores[r]
        for k in range(lengths[h]):
            j = ids[h, k]
            if j < counts.shape[0] and alive[j] and j != h:
                part = (counts[j] / pairs.gain + pairs.shrink) ** -pairs.target_power / pairs.gain
                score = np.float32(values[h, k] * part)
                if score > 0.0 and (
                    score > best[n - 1] or (score == best[n - 1] and j < row[n - 1])
                ):
                    insert(j, score, row, best)


@njit(cache=True, nogil=True)
def explain(users, items, history, pairs, shown, reasons, shares):
    """The history items that gave most of the score of each item of a list, the largest first.

    The score is that of `gather`.

    Args:
        users, items: int32[rows], int32[rows, N]: cache slots and their lists; what is negative
            is passed over.
        history, pairs: as in `gather`. shown: int32[I], all 0, left so.
        reasons, shares: int32[rows, N, R], float32[rows, N, R], set: slots, −1 where there are
            fewer, and their parts of the score, 0 to 1; equal ones newest first.
    """
    position, ids, values = pairs.position, pairs.ids, pairs.values
    lengths, counts = pairs.lengths, pairs.counts
    last = np.empty(position.shape[0], np.int32)
    whole = np.empty(items.shape[1], np.float32)
    least = shares.shape[2] - 1
    for r in range(users.shape[0]):
        reasons[r] = -1
        shares[r] = 0.0
        whole[:] = 0.0
        for at in range(items.shape[1]):
            if items[r, at] >= 0:
                shown[items[r, at]] = at + 1
        for place in range(recent(users[r], history, 0, last)):
            h = last[place]
            if h < 0 or h >= counts.shape[0]:
                continue
            again = history.repeats and among(h, last, 0, place)
            pull = position[place] / pairs.gain
            pull = np.float32(pull * (counts[h] / pairs.gain + pairs.shrink) ** -pairs.source_power)
            for k in range(lengths[h]):
                at = shown[np.uint32(ids[h, k])] - 1
                if at >= 0:
                    part = pull * values[h, k]
                    whole[at] += part
                    if part > shares[r, at, least] and not again:
                        _insert_reason(h, part, reasons[r, at], shares[r, at])
        for at in range(items.shape[1]):
            if items[r, at] >= 0:
                shown[items[r, at]] = 0
            if whole[at] > 0.0:
                shares[r, at] /= whole[at]


@njit(cache=True, nogil=True)
def _insert_reason(item, part, items, parts):
    """Put a part larger than the last of the descending `parts` among them, after equal ones."""
    k = items.shape[0] - 1
    while k > 0 and parts[k - 1] < part:
        parts[k] = parts[k - 1]
        items[k] = items[k - 1]
        k -= 1
    parts[k] = part
    items[k] = item
