"""A batch as slots: where its users and items are in memory.

In: an `EventBatch`, the rows of its shard. Out: `Prepared`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import EventBatch
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import Batch
from udfs.memory.users import Users
from udfs.state.handles import Rows


class Prepared(NamedTuple):
    """The distinct users, int32[k]; the events; how many slots of items there were before."""

    slots: NDArray[np.int32]
    events: Batch
    known: int


def prepare(
    batch: EventBatch, users: Users, catalogue: Catalogue, rows: Rows, history: Rows
) -> Prepared:
    """Load the users of a batch, and give its items slots."""
    slot_of = users.locate(batch.users, rows, history, catalogue)
    slots = np.array([*slot_of.values()], np.int32)
    of_events = slots
    if len(slots) < len(batch):
        of_events = np.array([slot_of[user] for user in batch.users], np.int32)
    known = catalogue.size
    items = catalogue.slots(batch.items)
    return Prepared(slots, Batch(of_events, items, batch.weights, batch.flags), known)
