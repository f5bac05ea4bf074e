"""The server's benchmark, in a run of a second."""

from __future__ import annotations

import numpy as np

from benchmarks.serve import fill, keeps_up, measure, server
from flink_app.local.ports import free_port


def test_every_request_is_answered_and_counted_from_when_it_was_due(redis_url: str) -> None:
    fill(redis_url)
    port = free_port()
    with server(redis_url, port) as pid:
        row = measure(port, pid, 50.0, 1.0)
    assert (row["asked"], row["answered"], row["failed"]) == (50, 50, 0)
    assert 0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"]
    assert np.isfinite(row["server_cpu"])


def test_the_server_keeps_up_if_everything_is_answered_soon() -> None:
    good = {"asked": 9, "answered": 9, "failed": 0, "p99_ms": 2.0}
    assert keeps_up(good)
    for bad in ({"answered": 8}, {"failed": 1}, {"p99_ms": 20.0}):
        assert not keeps_up({**good, **bad})
