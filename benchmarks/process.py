"""One measured job: a bounded or live run of a Flink job in this process, figures as JSON.

In: which job, and `--set` overrides, from the command line. Out: one JSON line with events,
seconds, lists, stages and the peak memory of Python and the JVM; `bench.py` and `latency.py` start
it as a process of its own, so that each job gets a fresh JVM.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from flink_app.config import Config, load
from flink_app.environment import embedded_options, environments, flink_options, prepare_process


def peak_mib() -> dict[str, float]:
    """The largest resident memory so far of this process and its children, MiB (Linux only)."""
    peaks: dict[str, float] = {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(
                line.split(":", 1) for line in status.read_text().splitlines() if ":" in line
            )
        except OSError:
            continue
        pid, parent = int(fields["Pid"]), int(fields["PPid"])
        if os.getpid() in (pid, parent) and "VmHWM" in fields:
            name = fields["Name"].strip()
            peaks[name] = round(int(fields["VmHWM"].split()[0]) / 1024, 1)
    return peaks


def measure(build: Callable[..., object], config: Config) -> dict[str, Any]:
    """Run a bounded job to its end; seconds count from the first line read to the last list."""
    prepare_process()
    stream, tables = environments(embedded_options(config) | flink_options(config))
    build(stream, tables, config)
    client = redis.Redis.from_url(config.redis.url, decode_responses=True)
    client.flushall()
    job = stream.execute_async()
    done = job.get_job_execution_result()
    began = ended = 0.0
    while not done.done():
        stats = client.hgetall("stats")
        if not began and int(stats.get("received", 0)):
            began = time.perf_counter()
        time.sleep(0.02)
    ended = time.perf_counter()
    done.result()
    stats = client.hgetall("stats")
    stages = {k[6:-3]: round(int(v) / 1e6, 2) for k, v in stats.items() if k.startswith("stage:")}
    began = min(began, ended - 1e-3)
    # The first figure appears half a second after the first line at most: count it in.
    seconds = ended - began + 0.5
    return {
        "events": int(stats["received"]),
        "seconds": round(seconds, 2),
        "events_per_s": round(int(stats["received"]) / seconds),
        "lists": int(stats["lists"]),
        "lists_per_s": round(int(stats["lists"]) / seconds),
        "stages_s": stages,
        "balanced": int(stats["received"])
        == sum(int(stats.get(k, 0)) for k in ("learned", "duplicates", "dead", "ignored")),
        "peak_mib": peak_mib(),
    }


def main() -> None:
    """`python -m benchmarks.process JOB section.option=value …`"""
    job, *overrides = sys.argv[1:]
    config = load(None, overrides, os.environ).config
    if job == "textbook":
        from benchmarks.textbook import build
    else:
        from flink_app.job import build
    print(json.dumps(measure(build, config)))


if __name__ == "__main__":
    main()
