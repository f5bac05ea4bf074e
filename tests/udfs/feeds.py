"""What item shards write to the feed, from plain catalogues."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.feed.changes import Changes
from udfs.feed.marks import NEW
from udfs.feed.writer import FeedWriter
from udfs.memory.catalogue import Catalogue


def snapshot(writer: FeedWriter, catalogue: Catalogue) -> None:
    """A whole snapshot without pairs, in one chunk."""
    writer.begin(items=True, pairs=True)
    writer.put(catalogue, 0, catalogue.living_slots().astype(np.int32), None)
    writer.finish({})


def append(
    writer: FeedWriter,
    catalogue: Catalogue,
    slots: NDArray[np.integer[Any]],
    now_ms: int,
    *,
    new: bool = True,
    **changes: Any,
) -> None:
    """Items in the log, with their ids if they are `new`; `changes` are fields of `Changes`."""
    flags = np.full(catalogue.room, NEW if new else 0, np.uint8)
    writer.append(catalogue, Changes(slots.astype(np.int32), **changes), flags, now_ms)
