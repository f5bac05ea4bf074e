"""The compiled loops of changes: from a learner's replica of the items to the owners of the items.

In: the columns of a `Catalogue`, the events of a batch, what touched items were before. Out: the
counters of users and items, changes of the factors by item shard. Like
`udfs.memory.history_kernels` they release the interpreter lock and are compared with plain NumPy in
the tests. Names of sizes: `d` factors, `t` touched items, `S` item shards.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.memory.popularity_kernels import SPANS, add_decayed, add_weight


class People(NamedTuple):
    """The counters of users, int64[U] each: events learned, time of the last event and wall clock
    of the last, ms."""

    events: NDArray[np.int64]
    last: NDArray[np.int64]
    seen: NDArray[np.int64]


class Demand(NamedTuple):
    """The counters of the replica's items, as in `Catalogue`: float64[I], float64[I] ms,
    float64[I, 4], int64[I], int64[I] ms."""

    popularity: NDArray[np.float64]
    popularity_at: NDArray[np.float64]
    sums: NDArray[np.float64]
    events: NDArray[np.int64]
    seen: NDArray[np.int64]


class Owed(NamedTuple):
    """What is to be told of items, of which there are `count` so far.

    Attributes:
        slots, before: int32[r], float32[r, 2d + 4], as `softmax_kernels.learn` sets them.
        weight, weight_at, events: float64[r], float64[r] ms, int64[r], sums as in `Told`.
        sums: float64[r, 4], of the same weights at each of `SPANS`, as of `weight_at`; only of
            those with events.
        place: int32[I], where in `slots` an item stands, if it does: whoever reads it looks there
            (a sparse set: Briggs, Torczon 1993).
    """

    slots: NDArray[np.int32]
    before: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    sums: NDArray[np.float64]
    place: NDArray[np.int32]


@njit(cache=True, nogil=True, inline="always")
def _clear(at, weight, weight_at, events):
    weight[at] = weight_at[at] = 0.0
    events[at] = 0


@njit(cache=True, nogil=True, inline="always")
def _note(at, amount, moment, half_life, owed):
    """Add the weight of an event to what is owed."""
    weight, weight_at, events, sums = owed
    if events[at] == 0:
        weight[at], weight_at[at] = amount, moment
        for h in range(sums.shape[1]):
            sums[at, h] = amount
    else:
        add_weight(sums, at, weight_at[at], amount, moment)
        weight[at], weight_at[at] = add_decayed(
            weight[at], weight_at[at], amount, moment, half_life
        )
    events[at] += 1


@njit(cache=True, nogil=True)
def tally(batch, ts, now, half_life, people, demand, items, owed, count, touched):
    """Count the events of a batch that was learned, and note what its items' owners are to be told.

    Args:
        batch, ts: `Batch`, and int64[n], ms. now, half_life: ms.
        people, demand: `People` and `Demand`, changed. What was only shown, of weight 0 and not
            consumed, says nothing about its user.
        items: `ItemFactors`.
        owed, count, touched: `Owed`, changed; how many stand in it, and how many follow that the
            batch has touched. Those that stand there already are left out; those of events that
            touched no factor are added.

    Returns: how many items stand in `owed`, how many users were met for the first time, and the
        latest time.
    """
    users, goods, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    slots, before, place = owed.slots, owed.before, owed.place
    weight, weight_at, events, more = owed.weight, owed.weight_at, owed.events, owed.sums
    popularity, popularity_at, sums = demand.popularity, demand.popularity_at, demand.sums
    times, seen = demand.events, demand.seen
    learned, last, met = people.events, people.last, people.seen
    q, y, bias, spread = items.q, items.y, items.bias, items.spread
    d, begin, fresh, newest = q.shape[1], count, 0, ts[0]
    for k in range(begin, begin + touched):
        j = slots[k]
        at = place[j]
        if at < count and slots[at] == j:
            continue
        if k > count:
            slots[count] = j
            for f in range(before.shape[1]):
                before[count, f] = before[k, f]
        place[j] = count
        _clear(count, weight, weight_at, events)
        count += 1
    for e in range(users.shape[0]):
        u, j, ms, amount = users[e], goods[e], ts[e], np.float64(weights[e])
        newest = max(newest, ms)
        fresh += met[u] == 0
        met[u] = now
        learned[u] += amount != 0.0 or flags[e] & 1 == 1
        last[u] = max(last[u], ms)
        if j < 0:
            continue
        at = place[j]
        if at >= count or slots[at] != j:
            at = place[j] = count
            slots[at] = j
            for f in range(d):
                before[at, f] = q[j, f]
                before[at, d + 4 + f] = y[j, f]
            before[at, d] = bias[j]
            for a in range(3):
                before[at, d + 1 + a] = spread[j, a]
            _clear(at, weight, weight_at, events)
            count += 1
        amount, moment = max(amount, np.float64(0.0)), np.float64(ms)
        add_weight(sums, j, popularity_at[j], amount, moment)
        popularity[j], popularity_at[j] = add_decayed(
            popularity[j], popularity_at[j], amount, moment, half_life
        )
        _note(at, amount, moment, half_life, (weight, weight_at, events, more))
        times[j] += 1
        seen[j] = now
    return count, fresh, newest


@njit(cache=True, nogil=True)
def changes(touched, before, items, keys, shards, out, out_keys, out_shards):
    """What items have gained since they were noted, and who they are.

    Args:
        touched, before: int32[t], float32[t, 2d + 4], of `Owed`.
        items: `ItemFactors`. keys, shards: uint64[I], int32[I].
        out: float32[t, 2d + 4], set: of q, b, spread and y, as `before`.
        out_keys, out_shards: uint64[t], int32[t], set.
    """
    q, y, bias, spread = items.q, items.y, items.bias, items.spread
    d = q.shape[1]
    for k in range(touched.shape[0]):
        j = touched[k]
        out_keys[k], out_shards[k] = keys[j], shards[j]
        for f in range(d):
            out[k, f] = q[j, f] - before[k, f]
            out[k, d + 4 + f] = y[j, f] - before[k, d + 4 + f]
        out[k, d] = bias[j] - before[k, d]
        for a in range(3):
            out[k, d + 1 + a] = spread[j, a] - before[k, d + 1 + a]


class Grouped(NamedTuple):
    """Rows by shard, in order within each.

    Attributes:
        change, context: float32[t, d + 4] of q, bias and spread; float32[t, d], only of the items
            whose y has changed, row by row as `moved` (int32[t]) counts them within their shard.
        keys, weight, weight_at, events: uint64[t], float64[t], float64[t], int64[t].
        named: int32[t], the items with events, as positions before they were grouped.
        sums: float64[t, 4], of those in `named`, see `Owed`.
        starts: int64[3, S + 1], where the rows, those of `moved` and those of `named` begin.
    """

    change: NDArray[np.float32]
    context: NDArray[np.float32]
    keys: NDArray[np.uint64]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    moved: NDArray[np.int32]
    named: NDArray[np.int32]
    sums: NDArray[np.float64]
    starts: NDArray[np.int64]

    @classmethod
    def room(cls, t: int, d: int, shards: int) -> Grouped:
        """Room for so many."""
        return cls(
            np.empty((t, d + 4), np.float32),
            np.empty((t + 1, d), np.float32),
            np.empty(t, np.uint64),
            np.empty(t),
            np.empty(t),
            np.empty(t, np.int64),
            np.empty(t + 1, np.int32),
            np.empty(t, np.int32),
            np.empty((t, len(SPANS))),
            np.empty((3, shards + 1), np.int64),
        )


@njit(cache=True, nogil=True)
def group(change, keys, weight, weight_at, events, sums, shards, out):
    """Sort t items by shard; arguments as in `deltas.Touched`.

    Args:
        out: `Grouped`, set.
    """
    starts, moved, named, out_sums = out.starts, out.moved, out.named, out.sums
    rows, context, out_keys = out.change, out.context, out.keys
    out_weight, out_at, out_events = out.weight, out.weight_at, out.events
    own, d, count = rows.shape[1], context.shape[1], starts.shape[1] - 1
    starts[:] = 0
    for k in range(shards.shape[0]):
        starts[0, shards[k] + 1] += 1
    for s in range(count):
        starts[0, s + 1] += starts[0, s]
    end = starts[0].copy()
    order = np.empty(shards.shape[0], np.int32)
    for k in range(shards.shape[0]):
        order[end[shards[k]]] = k
        end[shards[k]] += 1
    moves = names = 0
    for s in range(count):
        for at in range(starts[0, s], starts[0, s + 1]):
            k = order[at]
            out_keys[at], out_events[at] = keys[k], events[k]
            out_weight[at], out_at[at] = weight[k], weight_at[k]
            for f in range(own):
                rows[at, f] = change[k, f]
            differs = False
            for f in range(d):
                differs |= change[k, own + f] != 0.0
                context[moves, f] = change[k, own + f]
            moved[moves] = at - starts[0, s]
            moves += differs
            if events[k] > 0:
                named[names] = k
                for h in range(sums.shape[1]):
                    out_sums[names, h] = sums[k, h]
                names += 1
        starts[1, s + 1], starts[2, s + 1] = moves, names


class Named(NamedTuple):
    """The names of items, and room for `changes`: uint64[I], int32[I]; float32[r, 2d + 4],
    uint64[r], int32[r], set."""

    keys: NDArray[np.uint64]
    shards: NDArray[np.int32]
    change: NDArray[np.float32]
    own_keys: NDArray[np.uint64]
    own_shards: NDArray[np.int32]


@njit(cache=True, nogil=True)
def collect(owed, count, items, named, out):
    """`changes` of the first `count` items of `Owed`, and `group` of these.

    Args:
        items: `ItemFactors`. named: `Named`, changed.
        out: `Grouped`, set; its `named` are slots here.
    """
    slots, change = owed.slots[:count], named.change[:count]
    keys, shards = named.own_keys[:count], named.own_shards[:count]
    changes(slots, owed.before, items, named.keys, named.shards, change, keys, shards)
    group(change, keys, owed.weight, owed.weight_at, owed.events, owed.sums, shards, out)
    for k in range(out.starts[2, out.starts.shape[1] - 1]):
        out.named[k] = slots[out.named[k]]
