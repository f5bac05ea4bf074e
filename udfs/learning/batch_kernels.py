"""The compiled step of a batch: all that follows from its events, but pairs and lists, in one call.

In: the events as slots, the columns of users and items. Out: these changed, the rows of the users
for the state, what the items' owners are to be told. A call of a kernel with dozens of arrays, and
the Python around it, costs more than what it does for one event; so this one calls the others, each
of which has its twin in the tests.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

from udfs.compiling import njit
from udfs.feed.change_kernels import Demand, Owed, People, tally
from udfs.memory.history_kernels import Batch, History, Spare
from udfs.memory.user_kernels import Stored, pack_rows
from udfs.memory.vector_kernels import measure
from udfs.models.factors import rating_kernels, softmax_kernels
from udfs.models.factors.arrays import ItemFactors, Touched, UserFactors

OWED, BATCH, FRESH, NEWEST, PAGES, FULL, TOUCHED = range(7)
"""The places of `Work.made`."""


class Given(NamedTuple):
    """n events: `Batch`; int64[n], their times, ms; int32[k], their distinct users; the wall clock
    and the half-life of popularity, ms."""

    batch: Batch
    ts: Any
    slots: Any
    now: int
    half_life: float


class Crowd(NamedTuple):
    """The columns of the users."""

    factors: UserFactors
    history: History
    people: People
    stored: Stored


class Goods(NamedTuple):
    """The columns of the items. `axis`, `along`, `across`: see `vector_kernels.measure`; an axis of
    length 0: these are not kept. stamp: int64[I], see `Touched`."""

    factors: ItemFactors
    demand: Demand
    axis: Any
    along: Any
    across: Any
    stamp: Any


class Work(NamedTuple):
    """What a step sets.

    Attributes:
        owed: `Owed`, with room for what the batch may touch. touched: int32[r], set to the items
            that it has touched, where `Goods.axis` has length 0.
        spare: `Spare`.
        packed: uint32[k, w], set to the rows of the users in `Given.slots`, as `pack_rows` does;
            not where pages are full, since rows name them.
        made: int64[7]: how many items stand in `owed` (changed), the number of the batch (taken),
            and, set: users met for the first time, the latest time, free pages (changed), full
            pages in `spare.sealed`, items touched.
    """

    owed: Owed
    touched: Any
    spare: Spare
    packed: Any
    made: Any


@njit(cache=True, nogil=True)
def _begin(goods, work):
    """Where the factors' step notes what it touches."""
    work.spare.counts[0], work.spare.counts[1] = work.made[PAGES], 0
    begin = work.made[OWED]
    return Touched(goods.stamp, work.made[BATCH], work.owed.slots[begin:], work.owed.before[begin:])


@njit(cache=True, nogil=True)
def _end(given, crowd, goods, touched, count, work):
    """Do what follows for the `count` items of `touched` and for the users."""
    made, counts = work.made, work.spare.counts
    if goods.axis.shape[0]:
        measure(goods.factors.q, goods.axis, touched.slots[:count], goods.along, goods.across)
    else:
        for k in range(count):
            work.touched[k] = touched.slots[k]
    made[TOUCHED], made[PAGES], made[FULL] = count, counts[0], counts[1]
    made[OWED], made[FRESH], made[NEWEST] = tally(
        given.batch,
        given.ts,
        given.now,
        given.half_life,
        crowd.people,
        goods.demand,
        goods.factors,
        work.owed,
        made[OWED],
        count,
    )
    if not counts[1]:
        pack_rows(given.slots, crowd.history, crowd.stored, work.packed)


@njit(cache=True, nogil=True)
def softmax(given, crowd, goods, rule, draws, work):
    """Learn a batch by `softmax_kernels.learn`.

    Args:
        given: `Given`. crowd, goods, work: `Crowd`, `Goods` and `Work`, changed.
        rule, draws: `Rule`, `Draws`.
    """
    touched = _begin(goods, work)
    count = softmax_kernels.learn(
        crowd.factors, crowd.history, work.spare, goods.factors, given.batch, rule, draws, touched
    )
    _end(given, crowd, goods, touched, count, work)


@njit(cache=True, nogil=True)
def squared(given, crowd, goods, rule, ratings, work):
    """The same by `rating_kernels.learn`; `ratings`: `Ratings`."""
    touched = _begin(goods, work)
    count = rating_kernels.learn(
        crowd.factors, crowd.history, work.spare, goods.factors, given.batch, rule, ratings, touched
    )
    _end(given, crowd, goods, touched, count, work)
