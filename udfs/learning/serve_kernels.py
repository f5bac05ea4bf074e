"""The compiled step of events that are only served: what they leave with their users, and no more.

In: a batch as slots. Out: histories and counters of its users, changed, and their rows packed.
Factors, pairs and popularity stay as they are; compare `udfs.learning.batch_kernels`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from udfs.compiling import njit
from udfs.memory.history_kernels import note
from udfs.memory.user_kernels import pack_rows


@njit(cache=True, nogil=True)
def serve(given, crowd, spare, packed):
    """Add events to the histories of their users.

    Args:
        given: `batch_kernels.Given`. crowd: `batch_kernels.Crowd`, changed. spare: `Spare`.
        packed: uint32[k, w], set to the rows of `given.slots`, if no page is full.

    Returns: how many users were met for the first time.
    """
    batch, people, fresh = given.batch, crowd.people, 0
    users, items, weights, flags = batch.users, batch.items, batch.weights, batch.flags
    events, last, seen = people.events, people.last, people.seen
    for e in range(users.shape[0]):
        u, consumes = users[e], flags[e] & 1 == 1
        if items[e] >= 0:
            note(items[e], u, consumes, weights[e], crowd.history, spare)
        fresh += seen[u] == 0
        seen[u] = given.now
        events[u] += weights[e] != 0.0 or consumes
        last[u] = max(last[u], given.ts[e])
    if not spare.counts[1]:
        pack_rows(given.slots, crowd.history, crowd.stored, packed)
    return fresh
