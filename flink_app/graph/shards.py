"""Maps shards to Flink keys so that subtasks get equal shares of them at any parallelism.

In: numbers of shards and key groups. Out: one integer per shard, the key of its state. Flink
assigns a key to a group by a hash; keys are chosen so that the groups are evenly spaced.
"""

from __future__ import annotations

from functools import lru_cache

from pyflink.java_gateway import get_gateway

from udfs.errors import ConfigError


@lru_cache(maxsize=16)
def _keys(shards: int, max_parallelism: int) -> tuple[int, ...]:
    jvm = get_gateway().jvm
    assign = jvm.org.apache.flink.runtime.state.KeyGroupRangeAssignment.assignToKeyGroup
    row_of = jvm.org.apache.flink.types.Row.ofKind
    insert = jvm.org.apache.flink.types.RowKind.INSERT
    wanted = {shard * max_parallelism // shards: shard for shard in range(shards)}
    keys: dict[int, int] = {}
    arguments = get_gateway().new_array(jvm.java.lang.Object, 1)
    for key in range(200 * max_parallelism):
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
