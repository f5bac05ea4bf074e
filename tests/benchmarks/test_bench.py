"""`make bench`: both of its jobs run on a few events and report figures; its sections."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import redis

from benchmarks import bench
from benchmarks.throughput import RATIOS, RUNS, throughput
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
    # Delayed lists are written at the end of the input, after the last account.
    assert figures["lists"] >= 1
    assert len(list(client.scan_iter("rec:*"))) == 100


def test_a_section_is_replaced_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "OUT", tmp_path)
    monkeypatch.setattr(bench, "measured", lambda module, *arguments: {"by": [module, *arguments]})
    for only in (["latency", "throughput"], ["throughput"]):
        monkeypatch.setattr(sys, "argv", ["bench", "--events", "9", "--only", *only])
        bench.main()
    written = json.loads((tmp_path / "bench.json").read_text())
    assert written["latency"]["by"] == ["benchmarks.latency"]
    assert written["throughput"]["by"] == ["benchmarks.throughput", "--events", "9"]
    assert written["throughput"]["machine"]["cpus"] >= 1
    assert set(written) == {"latency", "throughput"}


def test_sections_are_modules_and_ratios_are_of_existing_runs() -> None:
    for section in bench.SECTIONS:
        assert find_spec(f"benchmarks.{section}"), section
    for pair in RATIOS.values():
        assert set(pair) <= set(RUNS)
