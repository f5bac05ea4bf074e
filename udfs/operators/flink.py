"""What the operator shells share: Flink's state handles, metrics, the clock, shard keys.

In: a Flink runtime context. Out: typed handles. Only this module and the shells import PyFlink.
"""

from __future__ import annotations

import sys
import time
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from pyflink.common import Row, Types
from pyflink.datastream import OutputTag, RuntimeContext
from pyflink.datastream.state import (
    ListStateDescriptor,
    MapStateDescriptor,
    ValueStateDescriptor,
)

import udfs
from udfs.accounts import Account, pack_account
from udfs.learning.effects import END, Wake
from udfs.lists.topic import Message
from udfs.ranking.log import Ranking
from udfs.state.handles import Cell, Log, Rows
from udfs.stores.fence import Fence
from udfs.stores.redis_writer import RedisSettings, RedisWriter

BYTES = Types.PICKLED_BYTE_ARRAY()
"""Bytes, in the form that crosses between Python and Java fastest."""

PIECE = Types.ROW([Types.INT(), Types.TUPLE([Types.INT(), BYTES])])
"""What `piece` makes."""

ACCOUNT = Types.ROW([Types.INT(), BYTES])
"""What `report` makes."""

STATS = OutputTag("stats", ACCOUNT)
"""The side output of accounts."""

_PLAIN = Types.PRIMITIVE_ARRAY(Types.BYTE())  # which SQL reads as they are, unlike `BYTES`
LISTS = OutputTag(
    "lists",
    Types.ROW_NAMED(["shared", "records"], [Types.BOOLEAN(), Types.MAP(_PLAIN, _PLAIN)]),
)
"""The side output of lists for a Kafka topic, as `row` makes them."""
KEPT = OutputTag("kept", ACCOUNT)
"""The side output for Cassandra."""

_TEXTS, _NUMBERS = Types.BASIC_ARRAY(Types.STRING()), Types.BASIC_ARRAY(Types.FLOAT())
RANKING = Types.ROW_NAMED(
    ["at", "user", "history", "taken", "items", "position", "propensity", "features"],
    [
        Types.LONG(),
        Types.STRING(),
        _TEXTS,
        Types.STRING(),
        _TEXTS,
        Types.BASIC_ARRAY(Types.INT()),
        _NUMBERS,
        Types.MAP(Types.STRING(), _NUMBERS),
    ],
)
"""A `udfs.ranking.log.Ranking`, as `row` makes it."""
RANKINGS = OutputTag("rankings", RANKING)
"""The side output of what the ranker ranked."""

DEAD_LETTERS = OutputTag("dead-letters", Types.STRING())
"""The side output of unusable lines, one JSON object each."""


def piece(key: int, data: bytes) -> Row:
    """Data of a shard, for an edge by key, whose operator gets `(key, data)`."""
    return Row(key, (key, data))


def report(account: Account) -> Row:
    """An account, for an edge by key to `stats`, which gets it packed."""
    return Row(0, pack_account(account))


def row(made: Message | Ranking) -> Row:
    """Lists for `LISTS`, or what the ranker ranked for `RANKINGS`."""
    return Row(*made)


def now_ms() -> int:
    """The wall clock, ms since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


def share_interpreter() -> None:
    """Let the operators' threads take turns quickly, and load all code of this package.

    All operators of a TaskManager share one interpreter lock. Each kernel, state access and Redis
    call gives it up and, at Python's default of 5 ms, may wait that long to get it back from an
    operator that is computing. They also share imported modules, from a folder that Flink deletes
    with the job: a module that only the next job needs could not be imported any more.
    """
    sys.setswitchinterval(0.0005)
    for module in walk_packages(udfs.__path__, "udfs."):
        import_module(module.name)


def rows(context: RuntimeContext, name: str) -> Rows:
    """The `MapState[str, bytes]` called `name`, scoped to the current shard."""
    descriptor = MapStateDescriptor(name, Types.STRING(), BYTES)
    state: Rows = context.get_map_state(descriptor)
    return state


def cell(context: RuntimeContext, name: str) -> Cell:
    """The `ValueState[bytes]` called `name`, scoped to the current shard."""
    state: Cell = context.get_state(ValueStateDescriptor(name, BYTES))
    return state


def log(context: RuntimeContext, name: str) -> Log:
    """The `ListState[bytes]` called `name`, scoped to the current shard."""
    state: Log = context.get_list_state(ListStateDescriptor(name, BYTES))
    return state


def parallelism(context: RuntimeContext) -> int:
    """How many subtasks run this operator; PyFlink's own getter raises in thread mode."""
    task: Any = context._runtime_context.getTaskInfo()
    return int(task.getNumberOfParallelSubtasks())


def subtask(context: RuntimeContext) -> int:
    """Which of them this one is, from 0."""
    task: Any = context._runtime_context.getTaskInfo()
    return int(task.getIndexOfThisSubtask())


def redis_writer(context: RuntimeContext, settings: RedisSettings, operator: str) -> RedisWriter:
    """The subtask's connection to Redis, which shuts out connections of older attempts and jobs."""
    if not settings.born_ms:
        return RedisWriter(settings)
    writer = f"{operator}-{subtask(context)}"
    fence = Fence(settings.prefix, settings.born_ms, writer, now_ms())
    return RedisWriter(settings, fence=fence)


def set_timer(context: Any, wake: Wake) -> None:
    """Have Flink call the operator at that time for the current shard."""
    service = context.timer_service()
    if wake.at_ms == END:
        service.register_event_time_timer(END)
    else:
        service.register_processing_time_timer(wake.at_ms)
