"""The compiled loops of the sampled softmax: which items an event is compared with, and how far
their scores should move.

In: a state of the generator, what is alive, a user's history and wish; out: drawn items, the errors
of their scores, and which of them are moved. Called by `softmax_kernels.learn`, whose twin in the
tests covers them. Names of sizes: `I` catalogue slots, `d` factors, `m` negatives.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE
from udfs.memory.random_kernels import next_random

LEAST_STEP = np.float32(1 / 16)  # a drawn item moves by less only by chance, and then by this much
FARTHEST = np.float32(60.0)  # no score counts as more than this above that of the event's item
_LOWEST = np.float32(-87.0)  # exp of less is no normal float32
_LOG2_E = np.float32(1.4426950408889634)
_FLAGS = 64  # bytes for each negative: of other items, hardly any shares one with a drawn item
_ROWS = 16  # looked at together: loops of a constant length are vectorised best


class Sample(NamedTuple):
    """The items that a block of events is compared with, and what an event makes of them. M is m,
    rounded up to whole `_ROWS`.

    Attributes:
        chosen, times: int32[M], float32[M], the distinct slots and how often each was drawn.
        flags: uint8[a power of two], 1 at the lower bits of all `chosen`.
        rows, base: float32[M, d], float32[M], their q and b, side by side.
        part, odd: float32[M] twice, how often each counts for the event, and how much likelier
            than the event's item it is. power: int32[_ROWS], memory.
        slots, by, places: int32[m + 1], float32[m + 1], int32[m + 1], what the event moves: the
            slots, the errors of their scores, and where in `chosen` they stand, −1: nowhere.
    """

    chosen: Any
    times: Any
    flags: Any
    rows: Any
    base: Any
    part: Any
    odd: Any
    power: Any
    slots: Any
    by: Any
    places: Any


@njit(cache=True, nogil=True)
def sample(negatives, d):
    """A `Sample` for m = `negatives`, empty."""
    room, size = 1, (negatives + _ROWS - 1) // _ROWS * _ROWS
    while room < _FLAGS * negatives:
        room *= 2
    return Sample(
        np.zeros(size, np.int32),
        np.zeros(size, np.float32),
        np.zeros(room, np.uint8),
        np.zeros((size, d), np.float32),
        np.zeros(size, np.float32),
        np.zeros(size, np.float32),
        np.empty(size, np.float32),
        np.empty(_ROWS, np.int32),
        np.empty(negatives + 1, np.int32),
        np.empty(negatives + 1, np.float32),
        np.empty(negatives + 1, np.int32),
    )


@njit(cache=True, nogil=True, _nrt=False)
def _find(j, chosen, count):
    """The place of `j` among the first `count` of `chosen`, or −1; without a branch."""
    at = np.int32(-1)
    for k in range(np.int32(count)):
        at = max(at, np.int32(k) if chosen[k] == j else np.int32(-1))
    return at


@njit(cache=True, nogil=True, _nrt=False)
def draw(random, negatives, known, items, count, sample):
    """Draw some of the first `known` slots (fewer than 2³²), each as likely, with replacement.

    Args:
        random: uint64[1], advanced. negatives: m, how many.
        items: `ItemFactors`; what is dead is left out.
        count: how many distinct ones were drawn last. sample: `Sample`, changed.

    Returns: how many distinct ones are drawn now.
    """
    chosen, times, flags, alive = sample.chosen, sample.times, sample.flags, items.alive
    rows, base, q, bias = sample.rows, sample.base, items.q, items.bias
    low = np.uint32(flags.shape[0] - 1)
    for k in range(count):
        flags[np.uint32(chosen[k]) & low] = 0
        times[k] = np.float32(0.0)
    count = 0
    for _ in range(negatives):
        chance = next_random(random) >> np.uint64(32)  # the upper bits
        j = np.int32(chance * np.uint64(known) >> np.uint64(32))
        if not alive[j]:
            continue
        at = _find(j, chosen, count) if flags[np.uint32(j) & low] else -1
        if at < 0:
            flags[np.uint32(j) & low] = 1
            chosen[count] = j
            at = count
            count += 1
        times[at] += np.float32(1.0)
    for k in range(count):
        j = np.uint32(chosen[k])
        for f in range(q.shape[1]):
            rows[k, f] = q[j, f]
        base[k] = bias[j]
    return count


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc"})
def compare_with(user, target, history, count, sample):
    """Set `part` of the first `count` drawn items: as often as each was drawn, but 0 where it is
    `target` or one that its user has consumed; and the first place of `slots` to `target`.

    Args:
        history: `History`. sample: `Sample`.

    Returns: the sum.
    """
    chosen, flags, times, part = sample.chosen, sample.flags, sample.times, sample.part
    older, pages = history.older, history.pages
    low = np.uint32(flags.shape[0] - 1)
    for k in range(part.shape[0]):
        part[k] = times[k]
    at = _find(target, chosen, count) if flags[np.uint32(target) & low] else -1
    sample.slots[0], sample.places[0] = target, at
    if at >= 0:
        part[at] = np.float32(0.0)
    page, stop = history.tail[user], history.fill[user]
    while page >= 0:
        for k in range(stop):
            j = pages[page, k]
            if flags[np.uint32(j) & low]:
                at = _find(j, chosen, count)
                if at >= 0:
                    part[at] = np.float32(0.0)
        page, stop = older[page], PAGE
    total = np.float32(0.0)
    for k in range(part.shape[0]):
        total += part[k]
    return total


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def odds(count, mine, share, v, sample, g):
    """Set `odd` to how much likelier than the event's item each drawn item j is,

        share · `part` · exp(b_j + q_j·v − mine)

    the difference being `FARTHEST` at most, and g to Σ odd·q. exp is a power of two and a
    polynomial (Cephes), since that is vectorised.

    Args:
        mine, share: float32, the score of the event's item, and what an item drawn once counts.
        v, g: float32[d] twice. sample: `Sample`.

    Returns: the sum.
    """
    rows, power, d, total = sample.rows, sample.power, v.shape[0], np.float32(0.0)
    part, odd = sample.part.reshape((-1, _ROWS)), sample.odd.reshape((-1, _ROWS))
    base, scale = sample.base.reshape((-1, _ROWS)), power.view(np.float32)
    for f in range(d):
        g[f] = np.float32(0.0)
    for group in range((count + _ROWS - 1) // _ROWS):
        c = np.uint64(group)
        at = c * np.uint64(_ROWS)
        for k in range(_ROWS):
            score = np.float32(0.0)
            for f in range(d):
                score += v[f] * rows[at + np.uint64(k), f]
            odd[c, k] = score
        for k in range(_ROWS):
            x = min(max(odd[c, k] + base[c, k] - mine, _LOWEST), FARTHEST) * _LOG2_E
            whole = np.int32(x + np.float32(128.5)) - np.int32(128)
            f = x - np.float32(whole)
            r = np.float32(1.535336188319500e-4)
            r = r * f + np.float32(1.339887440266574e-3)
            r = r * f + np.float32(9.618437357674640e-3)
            r = r * f + np.float32(5.550332471162809e-2)
            r = r * f + np.float32(2.402264791363012e-1)
            r = r * f + np.float32(6.931472028550421e-1)
            odd[c, k] = (r * f + np.float32(1.0)) * part[c, k]
            power[k] = (whole + np.int32(127)) << np.int32(23)
        for k in range(_ROWS):
            odd[c, k] *= share * scale[k]
            total += odd[c, k]
        for k in range(0, _ROWS, 4):
            i = at + np.uint64(k)
            a, b = odd[c, k], odd[c, k + 1]
            x, y = odd[c, k + 2], odd[c, k + 3]
            for f in range(d):
                g[f] += (a * rows[i, f] + b * rows[i + np.uint64(1), f]) + (
                    x * rows[i + np.uint64(2), f] + y * rows[i + np.uint64(3), f]
                )
    return total


@njit(cache=True, nogil=True, _nrt=False)
def moved(count, whole, seed, sample):
    """Choose which of the drawn items are moved, in `slots`, `by` and `places` from the second on:
    with e = −odd / `whole`, those of |e| ≥ ε = `LEAST_STEP` by e, others by −ε, with a chance of
    |e| / ε.

    Args:
        seed: 32 bits, of which 24 are made for each item (lowbias32: Wellons 2018).
        sample: `Sample`.

    Returns: one more than how many.
    """
    chosen, chance, error = sample.chosen, sample.part, sample.odd
    slots, by, places = sample.slots, sample.by, sample.places
    inverse = np.float32(-1.0) / whole
    for k in range(count):
        h = np.uint32(np.uint32(k) * np.uint32(0x9E3779B9)) ^ seed
        h = np.uint32(np.uint32(h ^ (h >> np.uint32(16))) * np.uint32(0x7FEB352D))
        h = np.uint32(np.uint32(h ^ (h >> np.uint32(15))) * np.uint32(0x846CA68B))
        h = h ^ (h >> np.uint32(16))
        chance[k] = np.float32(np.int32(h >> np.uint32(8))) * (LEAST_STEP / np.float32(16777216))
        error[k] *= inverse
    found = 1
    for k in range(count):  # without a branch: nobody could predict which are moved
        at = np.uint32(found)
        slots[at], places[at] = chosen[k], k
        by[at] = min(error[k], -LEAST_STEP)
        found += (chance[k] < -error[k]) & (found < slots.shape[0])
    return found
