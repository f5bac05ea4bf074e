"""The compiled counting of a batch: pairs and consumers, in one call.

In: the events as slots, before they belong to the histories. Out: what is taken together and who
took what, changed; the events with their windows, behind those of the batches before. It calls the
kernels of the models, each of which has its twin in the tests.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

from udfs.compiling import njit
from udfs.models.item_cf import counting_kernels
from udfs.models.item_cf.arrays import Changed, Counts, Windows
from udfs.models.user_cf.consumer_kernels import note


class Tables(NamedTuple):
    """What is counted by item: pairs, with the `stamp` of `Changed`; and the last consumers, see
    `consumer_kernels.note`."""

    pairs: Counts
    stamp: Any
    who: Any
    serial: Any
    counts: Any


class Gathered(NamedTuple):
    """What is gathered of batches, with the memory that this takes.

    Attributes:
        windows: `Windows`, of which the first `made[0]` events and `made[1]` pairs are set.
        made: int64[2], changed. latest, rows: as `counting_kernels.windows` and `Changed` take
            them. log_gain: float64[1], changed by what counts.
    """

    windows: Windows
    made: Any
    latest: Any
    rows: Any
    log_gain: Any


@njit(cache=True, nogil=True)
def take(batch, history, reach, tables, pace, number, gathered, pairs):
    """Count a batch.

    Args:
        batch, history: `Batch`, `History`. reach: L, at most 255.
        tables: `Tables`, changed. pace: `Pace`. number: of the batch, see `Changed`.
        gathered: `Gathered`, changed, with room for n events and n·L pairs more.
        pairs: whether pairs are counted too.

    Returns: how many events teach.
    """
    whole, made = gathered.windows, gathered.made
    events, begin = made[0], made[1]
    room = Windows(
        whole.learned,
        whole.order,
        whole.users[events:],
        whole.heads[events:],
        whole.gains[events:],
        whole.starts[events:],
        whole.others[begin:],
        whole.distances[begin:],
    )
    m = counting_kernels.windows(batch, history, reach, gathered.latest, room)
    p = room.starts[m]
    own = Windows(
        m,
        room.order[:m],
        room.users[:m],
        room.heads[:m],
        room.gains[:m],
        room.starts[: m + 1],
        room.others[:p],
        room.distances[:p],
    )
    note(own.users, own.heads, history.serials, tables.who, tables.serial, tables.counts)
    if pairs:
        changed = Changed(tables.stamp, number, gathered.rows)
        counted = counting_kernels.count(own, own.heads, own.others, tables.pairs, pace, changed)
        gathered.log_gain[0] = counted[1]
    for k in range(m + 1):
        room.starts[k] += begin
    made[0], made[1] = events + m, begin + p
    return m
