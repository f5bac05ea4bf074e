"""Counts the bytes of a user and an item, and compares them with docs/performance.md's formulas.

In: numbers of events, users, items. Out: bytes by place, counted and by the formula. A learner and
an item shard learn the events without Flink; their state is in dictionaries, whose values are the
bytes that Flink would store.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import tastes
from benchmarks.bare import Bare
from benchmarks.load import DIMENSIONS
from udfs.learning.item_shard import ItemShard
from udfs.memory.catalogue import Catalogue
from udfs.memory.history_kernels import PAGE
from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.item_cf.wire import KeyIndex
from udfs.state.handles import MemoryRows

NAMES = 450
"""The maximum bytes of Python objects for a user or an item: the id, and its entries in tables."""


def user_state(d: int, pages: float) -> float:
    """Bytes of a user in state, with full pages of 32 consumed items."""
    return 296 + 4 * d + (8 * PAGE + 4) * pages


def user_memory(d: int, pages: float) -> float:
    """The maximum bytes of a user in the cache, with full pages; full arrays double their size."""
    return 2 * (80 + 4 * d + (4 * PAGE + 12) * (pages + 1)) + NAMES


def item_state(d: int, neighbours: float) -> float:
    """Bytes of an item in state."""
    return 84 + 8 * d + 24 + 12 * neighbours


def item_memory(d: int, neighbours: int, consumers: int) -> float:
    """The maximum bytes of an item in a user learner, with all models."""
    return 2 * (447 + 9 * d + 8 * neighbours + 12 * consumers) + NAMES


def measured(events: int, users: int, items: int) -> dict[str, dict[str, float]]:
    """Bytes of a user and an item, by place: `measured`, and by `formula`."""
    bare = Bare(f"model.dimensions={DIMENSIONS}", f"state.user_cache={users}")
    bare.know(items)
    bare.meet(users)
    bare.learn(*tastes.events(events, users, items), keep=True)
    learner, models = bare.learner, bare.learner.models
    _ = [some.json for some in learner.user_lists(np.arange(2, dtype=np.int32), 0)]
    shard = _owner(bare, items)
    cut = shard.cut()
    met, d = len(bare.rows), DIMENSIONS
    pages = len(bare.history) / met
    cached = len(learner.users)
    in_memory = len(bare.history) / cached
    kept = models.neighbours.settings.neighbours
    noted = models.consumers.settings.consumers
    mean = shard.neighbours.lengths.sum() / len(cut.items)
    caches = learner.catalogue, models.ranker
    return {
        "user, in state": _pair(_state(bare.rows, bare.history) / met, user_state(d, pages)),
        "user, in memory": _pair(held(learner.users) / cached, user_memory(d, in_memory)),
        "item, in state": _pair(
            (len(cut.rows) + len(cut.pairs.data)) / len(cut.items), item_state(d, mean)
        ),
        "item, in memory": _pair(sum(map(held, caches)) / items, item_memory(d, kept, noted)),
    }


def _owner(bare: Bare, items: int) -> ItemShard:
    """An item shard that has applied all messages."""
    settings = bare.learner.settings
    shard = ItemShard(
        Catalogue(settings.model.dimensions, settings.model.seed, settings.state.max_items),
        Neighbours(settings.item_cf),
        None,
        KeyIndex(),
        settings.half_life_ms,
    )
    shard.apply(*bare.messages)
    return shard


def _pair(counted: float, formula: float) -> dict[str, float]:
    return {"measured": round(counted, 1), "formula": round(formula, 1)}


def _state(*tables: dict[str, bytes] | MemoryRows) -> int:
    return sum(len(value) for table in tables for value in table.values())


def held(thing: Any) -> int:
    """Bytes of the arrays and Python objects in an object of `udfs`; ids in lists are also keys of
    a dictionary, and are counted there."""
    if isinstance(thing, np.ndarray):
        array: NDArray[Any] = thing
        return array.nbytes
    if isinstance(thing, dict):
        parts = [*thing.keys(), *thing.values()]
        return sys.getsizeof(thing) + sum(map(sys.getsizeof, parts))
    if isinstance(thing, list):
        return sys.getsizeof(thing) + sum(map(held, thing))
    if isinstance(thing, tuple):
        return sum(map(held, thing))
    if type(thing).__module__.startswith("udfs."):
        return sum(map(held, vars(thing).values())) if hasattr(thing, "__dict__") else 0
    return 0
