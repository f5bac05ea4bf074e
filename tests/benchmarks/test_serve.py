"""The benchmark of the server, at a size that takes a second."""

from __future__ import annotations

import numpy as np

from benchmarks.serve import fill, measure, server, stands
from flink_app.local.ports import free_port


def test_every_request_is_answered_and_counted_from_when_it_was_due(redis_url: str) -> None:
    fill(redis_url)
    port = free_port()
    with server(redis_url, port) as pid:
        row = measure(port, pid, 50.0, 1.0)
    assert (row["asked"], row["answered"], row["failed"]) == (50, 50, 0)
    assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert np.isfinite(row["server_cpu"])


def test_a_rate_stands_where_all_is_answered_soon() -> None:
    good = {"asked": 9, "answered": 9, "failed": 0, "p99_ms": 2.0}
    assert stands(good)
    for bad in ({"answered": 8}, {"failed": 1}, {"p99_ms": 20.0}):
        assert not stands({**good, **bad})
