"""The accounts of the latency benchmark, and a small run of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.latency import summary
from benchmarks.measured import measured
from flink_app.console.totals import Totals


def test_the_mean_is_the_sum_of_its_stages() -> None:
    before = Totals(batches=10, waited_ms=300, stages={"learn": 1000}, learned=50)
    stages = {"learn": 31_000, "rank": 20_000, "redis": 10_000, "user_learner": 70_000}
    after = Totals(batches=20, waited_ms=600, stages=stages, learned=150)
    found = summary(np.array([30.0, 40.0, 50.0]), 0, before, after, window_ms=20)
    assert found["stages_ms"] == {
        "window": 24.0,
        "queue": 10.0,
        "quality": 0.0,
        "learn": 3.0,
        "rank": 2.0,
        "redis": 1.0,
    }
    assert sum(found["stages_ms"].values()) == found["mean_ms"] == 40.0
    assert found["events_per_batch"] == 10.0


def test_events_without_a_list_count_in_the_quantiles() -> None:
    ages = np.arange(98.0)
    assert summary(ages, 1, Totals(), Totals(), 20)["p99_ms"] is None
    found = summary(ages, 0, Totals(), Totals(), 20)
    assert (found["p50_ms"], found["p99_ms"]) == (49.0, 97.0)
    assert found["timed"] == 98


@pytest.mark.job
def test_a_short_run_times_every_event_of_a_slow_stream() -> None:
    options = "--rates 20 --seconds 4 --warm 1 --model mf"
    found = measured("benchmarks.latency", *options.split())
    (row,) = found["rates"]
    assert row["timed"] == pytest.approx(40, abs=3)
    assert row["events_per_s"] == pytest.approx(20, rel=0.1)
    assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"] < math.inf
    assert row["events_per_batch"] >= 1
