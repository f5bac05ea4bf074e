"""The measured traffic of the item feed, on small shops, and the cost of small batches."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from benchmarks.batches import PARTS, cost, line
from benchmarks.feed import Case, batches, traffic
from udfs.feed.entries import change_dtype

SMALL = Case(rate=2_000, items=60, users=50)


def test_batches_hold_the_events_of_a_window() -> None:
    found = list(batches(SMALL, 100))
    assert [len(batch) for batch in found] == [40, 40, 20]
    assert [batch.opened for batch in found] == [0, 20, 40]


def test_traffic_is_counted_and_bounded() -> None:
    free = traffic(SMALL, 2_000, 4_000)
    assert free["bytes_per_event"] == pytest.approx(free["item_bytes"] + free["pair_bytes"], abs=2)
    # In 2 s, each item's row is sent at most ten times, and its pairs at most twice.
    assert 0 < free["rows"] * 4_000 <= 10 * SMALL.items
    assert 0 < free["pair_rows"] * 4_000 <= 2 * SMALL.items
    size = change_dtype(SMALL.dimensions).itemsize
    assert free["item_bytes"] > free["rows"] * size
    slow = traffic(msgspec.structs.replace(SMALL, bound=0.02), 2_000, 4_000)
    assert slow["megabytes_per_s"] < 0.03 < free["megabytes_per_s"]
    assert slow["message_bytes"] == free["message_bytes"], "what is learned is the same"
    assert slow["read_us_per_kb"] > 0


def test_more_factors_and_neighbours_take_more_bytes() -> None:
    small, *larger = (
        traffic(msgspec.structs.replace(SMALL, **change), 1_000, 2_000)
        for change in ({"dimensions": 8, "neighbours": 2}, {"dimensions": 16}, {"neighbours": 20})
    )
    assert larger[0]["item_bytes"] > small["item_bytes"]
    assert larger[1]["pair_bytes"] > small["pair_bytes"]


def test_a_batch_has_a_fixed_cost_besides_that_of_its_events(redis_url: str) -> None:
    found = cost(redis_url, 5, 2, 500, 100)
    assert (found["size"], found["trained"]) == (5, 2)
    assert all(found[part] > 0 for part in PARTS)
    assert 1 <= found["lists"] <= 5


def test_a_line_is_fitted_by_relative_errors() -> None:
    rows = [{"size": n, "learn": 100 + 2.0 * n} for n in (1, 10, 100)]
    np.testing.assert_allclose(line(rows, "learn"), (100, 2))
