"""The table of stores: each gets every list that a user learner makes.

In: one line for each store, at the end. Out: `open_stores`, by which a user learner opens them.
"""

from __future__ import annotations

from udfs.models.settings import Settings
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_writer import RedisWriter
from udfs.stores.store import Factory, Stores

STORES: dict[str, Factory] = {}
"""Stores by name, in the order in which they are written to."""


def register(name: str, factory: Factory) -> None:
    """Add a store. Call it while modules are imported, since every process of a job must know it.

    Raises:
        ValueError: a store of that name exists already.
    """
    if name in STORES:
        raise ValueError(f"There is a store {name!r} already: give this one another name.")
    STORES[name] = factory


def open_stores(settings: Settings, redis: RedisWriter) -> Stores:
    """All stores as one."""
    return Stores([factory(settings, redis) for factory in STORES.values()])


register("redis", RedisLists)
