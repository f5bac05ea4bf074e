"""Both jobs of `make bench` on few events: they run, and say what they did."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from benchmarks.throughput import throughput
from flink_app.simulator import zipf_events


@pytest.mark.job
@pytest.mark.parametrize("job", ["millirec", "textbook"])
def test_a_job_of_the_benchmark(job: str, tmp_path: Path, redis_url: str) -> None:
    path = tmp_path / "events.jsonl"
    with path.open("wb") as file:
        file.writelines(zipf_events(3000, 100, 60, 1.0))
    figures = throughput(job, path, redis_url, "lists.model=mf")
    assert figures["events"] == 3000
    assert figures["balanced"]
    client = redis.Redis.from_url(redis_url)
    # Lists that were put off are written when the input ends, after the last account.
    assert figures["lists"] >= 1
    assert len(list(client.scan_iter("rec:*"))) == 100
