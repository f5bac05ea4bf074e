"""Each lane's window is on a subtask of its own, as Flink distributes rows by key."""

from __future__ import annotations

import pytest

from flink_app.graph.environment import prepare_process
from flink_app.graph.shards import lane_keys, shard_keys

pytestmark = pytest.mark.job


def test_the_windows_of_lane_i_are_on_subtask_i() -> None:
    prepare_process()
    from pyflink.java_gateway import get_gateway

    flink = get_gateway().jvm.org.apache.flink
    types = get_gateway().new_array(flink.table.types.logical.LogicalType, 1)
    types[0] = flink.table.types.logical.IntType()
    binary = flink.table.runtime.typeutils.RowDataSerializer(types)
    assign = flink.runtime.state.KeyGroupRangeAssignment.assignKeyToParallelOperator
    for lanes in (1, 2, 3, 8):
        found = []
        for key in lane_keys(lanes, 128):
            row = flink.table.data.GenericRowData(1)
            row.setField(0, key)
            found.append(assign(binary.toBinaryRow(row).copy(), 128, lanes))
        assert found == list(range(lanes))


def test_shards_are_spread_evenly_at_any_parallelism() -> None:
    prepare_process()
    from pyflink.java_gateway import get_gateway

    flink = get_gateway().jvm.org.apache.flink
    assign = flink.runtime.state.KeyGroupRangeAssignment.assignKeyToParallelOperator
    row = flink.types.Row
    keys = shard_keys(8, 128)
    for parallelism in (1, 2, 4, 8):
        fields = [get_gateway().new_array(get_gateway().jvm.java.lang.Object, 1) for _ in keys]
        for field, key in zip(fields, keys, strict=True):
            field[0] = key
        found = [
            assign(row.ofKind(flink.types.RowKind.INSERT, f), 128, parallelism) for f in fields
        ]
        assert [found.count(subtask) for subtask in range(parallelism)] == (
            [8 // parallelism] * parallelism
        )
