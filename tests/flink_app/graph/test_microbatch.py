"""How long windows are, and by which keys lines are grouped."""

from __future__ import annotations

import pytest

from flink_app.config import load
from flink_app.graph.microbatch import batch_query, window_of
from flink_app.graph.sources import Source, source_of


def kafka(parallelism: int, *settings: str) -> Source:
    given = ["source.kind=kafka", f"job.parallelism={parallelism}", *settings]
    size = ["job.shards=64", "job.item_shards=64"]
    return source_of(load(None, [*given, *size], {}).config)


@pytest.mark.parametrize(
    ("parallelism", "window_ms", "found"),
    [(1, 5, 5), (2, 5, 10), (2, 1, 2), (8, 5, 40), (64, 5, 50), (1, 60, 60), (4, 60, 60)],
)
def test_a_window_is_longer_the_more_subtasks_cut_it(
    parallelism: int, window_ms: int, found: int
) -> None:
    assert window_of(kafka(parallelism), window_ms) == found
    assert window_of(kafka(parallelism, "source.bounded=true"), window_ms) == 200


def test_each_lane_has_its_key() -> None:
    query = batch_query(kafka(3), 10, [7, 5, 40])
    lane = kafka(3).lane
    assert f"SELECT {lane} + COALESCE(ARRAY[7, 4, 38][{lane} + 1], 0) AS lane" in query
    assert "SELECT MOD(kafka_partition + 0, 1) AS lane" in batch_query(kafka(1), 10, [3])
