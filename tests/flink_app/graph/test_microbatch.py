"""How long windows are, and by which keys lines are grouped."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.graph.microbatch import batch_query, window_of
from flink_app.graph.sources import Source, items_of, source_of


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


def inputs(folder: Path, *settings: str) -> tuple[Source, Source | None]:
    """The sources of events and of items; those that read files have an empty folder."""
    given = [f"source.paths={folder}", f"items.paths={folder}", *settings]
    config = load(None, given, {}).config
    return source_of(config), items_of(config)


def test_without_items_the_query_is_that_of_events_alone(tmp_path: Path) -> None:
    source, none = inputs(tmp_path)
    assert none is None
    assert "items" not in batch_query(source, 10, [3], none)


def test_lines_about_items_are_marked(tmp_path: Path) -> None:
    query = batch_query(kafka(1), 10, [3], inputs(tmp_path, "items.kind=kafka")[1])
    line = r"CAST(kafka_partition AS STRING) || ':' || CAST(kafka_offset AS STRING) || U&'\000A'"
    assert f"{line} || COALESCE(line, '') AS line, t FROM source0 UNION ALL SELECT" in query
    assert rf"U&'\001E' || 'kafka:items' || ':' || {line}" in query and "FROM items0" in query
    events, items = inputs(tmp_path, "source.kind=flink", "items.kind=files")
    query = batch_query(events, 10, [3], items)
    assert r"SELECT 0 AS lane, U&'\000A' || COALESCE(line, '') AS line" in query
    assert r"U&'\001E' || '' || file || U&'\000A'" in query


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        (["items.kind=files"], 200),
        (["items.kind=directory"], 5),
        (["source.kind=directory", "items.kind=files"], 5),
        (["items.kind=kafka", "items.bounded=true"], 200),
    ],
)
def test_the_input_ends_when_both_end(tmp_path: Path, settings: list[str], found: int) -> None:
    source, items = inputs(tmp_path, *settings)
    assert window_of(source, 5, items) == found
