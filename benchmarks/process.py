"""One measured job: a bounded or live run of a Flink job in this process, figures as JSON.

In: the job, and overrides of the configuration, from the command line. Out: one JSON line with
events, seconds, lists, stages and the peak memory of Python and the JVM; `throughput.py` starts it
as a separate process, so that each job gets a fresh JVM.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import redis

from flink_app.config import Config, load
from flink_app.console.totals import Totals, read_totals
from flink_app.graph.environment import embedded_options, environments, flink_options
from flink_app.local.gateway import JavaGateway
from flink_app.local.java_options import suited


def status(file: Path) -> dict[str, str]:
    """The fields of a `/proc/<pid>/status` (Linux only)."""
    return dict(line.split(":", 1) for line in file.read_text().splitlines() if ":" in line)


def peak_mib() -> dict[str, float]:
    """The peak resident memory of this process and its children, MiB (Linux only)."""
    peaks: dict[str, float] = {}
    for file in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = status(file)
        except OSError:
            continue
        pid, parent = int(fields["Pid"]), int(fields["PPid"])
        if os.getpid() in (pid, parent) and "VmHWM" in fields:
            name = fields["Name"].strip()
            peaks[name] = round(int(fields["VmHWM"].split()[0]) / 1024, 1)
    return peaks


@contextmanager
def java(config: Config) -> Iterator[None]:
    """Java for a job in this process, with the options that `millirec run` gives it."""
    warn = partial(print, file=sys.stderr)
    with (
        tempfile.TemporaryDirectory() as folder,
        JavaGateway(Path(folder) / "java.log", warn, suited(config)),
    ):
        yield


def measure(build: Callable[..., object], config: Config) -> dict[str, Any]:
    """Run a bounded job to its end; time counts from the first figures to the last list."""
    with java(config):
        return _measure(build, config)


def _measure(build: Callable[..., object], config: Config) -> dict[str, Any]:
    stream, tables = environments(embedded_options(config) | flink_options(config))
    build(stream, tables, config)
    client = redis.Redis.from_url(config.redis.url)
    client.flushall()
    job = stream.execute_async()
    done = job.get_job_execution_result()
    first, began = None, 0.0
    while not done.done():
        if first is None and (found := read_totals(client, "")) is not None and found.learned:
            first, began = found, time.perf_counter()
        time.sleep(0.02)
    ended = time.perf_counter()
    done.result()
    last = read_totals(client, "")
    assert last is not None
    first, began = (Totals(), ended) if first is None else (first, began)
    # Events learned before the first figures, at most half a second old, do not count.
    seconds = ended - began + 0.5
    return {
        "events": last.received,
        "seconds": round(seconds, 2),
        "events_per_s": round((last.learned - first.learned) / seconds),
        "lists": last.lists,
        "lists_per_s": round((last.lists - first.lists) / seconds),
        "stages_s": {stage: round(spent / 1e6, 2) for stage, spent in last.stages.items()},
        "balanced": last.missing == 0,
        "peak_mib": peak_mib(),
    }


def main() -> None:
    """`python -m benchmarks.process JOB section.option=value …`"""
    job, *overrides = sys.argv[1:]
    config = load(None, overrides, os.environ).config
    module = "benchmarks.textbook" if job == "textbook" else "flink_app.job"
    print(json.dumps(measure(import_module(module).build, config)))


if __name__ == "__main__":
    main()
