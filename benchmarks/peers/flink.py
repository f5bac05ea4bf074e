"""Peers on PyFlink, and millirec itself: a job that reads a watched folder until it is killed.

`python -m benchmarks.peers.flink FOLDER URL FACTORS JOB section.option=value …`, where JOB is the
name of a module with `build`.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from importlib import import_module

from benchmarks.process import java
from flink_app.config import load
from flink_app.graph.environment import (
    embedded_options,
    environments,
    flink_options,
    prepare_process,
)

_PROCESS_MODE = "flink.options.python.execution-mode=process"


def main() -> None:
    """Run the job."""
    folder, url, factors, job, *overrides = sys.argv[1:]
    in_processes = _PROCESS_MODE in overrides
    prepare_process(beam=in_processes)
    given = [
        "source.kind=directory",
        f"source.paths={json.dumps([folder])}",
        f"redis.url={url}",
        f"model.dimensions={factors}",
        "lists.length=10",
        "dead_letters.kind=none",
    ]
    config = load(None, [*given, *overrides], {}).config
    # Process mode needs the Java that PyFlink starts, which also serves Beam's workers.
    with nullcontext() if in_processes else java(config):
        stream, tables = environments(embedded_options(config) | flink_options(config))
        import_module(job).build(stream, tables, config)
        stream.execute_async().get_job_execution_result().result()


if __name__ == "__main__":
    main()
