"""Maps shards and lanes to Flink keys so that subtasks get equal shares of them.

In: numbers of shards, lanes and key groups. Out: one integer each, its key. Flink assigns a key to
a group by a hash; keys are chosen so that the groups of shards are evenly spaced at any
parallelism, and that each lane is on a subtask of its own.
"""

from __future__ import annotations

from functools import lru_cache

from pyflink.java_gateway import get_gateway

from udfs.errors import ConfigError

_TRIES = 200  # keys for each key group


@lru_cache(maxsize=16)
def _keys(shards: int, max_parallelism: int) -> tuple[int, ...]:
    jvm = get_gateway().jvm
    assign = jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment.assignToKeyGroup
    row_of = jvm.org.apache.flink.types.Row.ofKind
    insert = jvm.org.apache.flink.types.RowKind.INSERT
    wanted = {shard * max_parallelism // shards: shard for shard in range(shards)}
    keys: dict[int, int] = {}
    arguments = get_gateway().new_array(jvm.java.lang.Object, 1)
    for key in range(_TRIES * max_parallelism):
        arguments[0] = key
        shard = wanted.get(assign(row_of(insert, arguments), max_parallelism))
        if shard is not None:
            keys.setdefault(shard, key)
            if len(keys) == shards:
                break
    if len(keys) < shards:
        raise ConfigError(
            f"no keys were found for {shards} shards among {max_parallelism} key groups: "
            "raise job.max_parallelism or lower job.shards"
        )
    return tuple(keys[shard] for shard in range(shards))


def shard_keys(shards: int, max_parallelism: int) -> list[int]:
    """The key of each shard: shard s is in key group s · max_parallelism // shards.

    Raises:
        ConfigError: there are more shards than key groups.
    """
    if shards > max_parallelism:
        raise ConfigError(
            f"{shards} shards do not fit into job.max_parallelism = {max_parallelism}: raise it, "
            "or use fewer shards"
        )
    return list(_keys(shards, max_parallelism))


def lane_keys(lanes: int, max_parallelism: int) -> list[int]:
    """The integer by which Flink SQL groups each lane: that of lane i is on subtask i of `lanes`.

    By their own numbers, the lanes of two or three subtasks would all be on one of them.
    """
    return list(_lane_keys(lanes, max_parallelism))


@lru_cache(maxsize=16)
def _lane_keys(lanes: int, max_parallelism: int) -> tuple[int, ...]:
    flink = get_gateway().jvm.org.apache.flink
    assign = flink.runtime.state.KeyGroupRangeAssignment.assignKeyToParallelOperator
    found: dict[int, int] = {}
    for number in range(_TRIES * max_parallelism):
        row = flink.table.data.binary.BinaryRowData(1)
        writer = flink.table.data.writer.BinaryRowWriter(row)
        writer.writeInt(0, number)
        writer.complete()
        found.setdefault(assign(row, max_parallelism, lanes), number)
        if len(found) == lanes:
            break
    return tuple(found[lane] for lane in range(lanes))
