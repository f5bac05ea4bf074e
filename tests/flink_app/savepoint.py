"""Makes a savepoint that later versions must restore: `python tests/flink_app/savepoint.py NAME`.

In: a name. Out: a folder of that name in `tests/fixtures/savepoints`, with `_metadata.gz`, the
whole savepoint, as state this small lies in it, and `events.jsonl`, which the job has learned. It
uses nothing of the tests, so that PYTHONPATH can name an older version to make one of.
"""

from __future__ import annotations

import gzip
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import redis

from flink_app.config import load
from flink_app.graph.environment import (
    embedded_options,
    environments,
    flink_options,
    prepare_process,
)
from flink_app.local.redis_server import RedisServer

FOLDER = Path(__file__).parents[1] / "fixtures" / "savepoints"

SETTINGS = [
    "source.kind=directory", "dead_letters.kind=none", "job.shards=2", "job.item_shards=2",
    "model.dimensions=8",
]  # fmt: skip
"""What the job must have to go on from it."""

_INLINE = "flink.options={'execution.checkpointing.data-inline-threshold' = '1 mb'}"


def events() -> list[dict[str, str]]:
    """30 users, who take two items together and some of ten others each."""
    pairs = [(f"u{n}", item) for n in range(30) for item in ("left", "right")]
    others = [(f"u{n * 7919 % 30}", f"i{n * 104729 % 7013 % 10}") for n in range(60)]
    return [
        {"user": user, "item": item, "type": "purchase", "id": f"e{n}"}
        for n, (user, item) in enumerate(pairs + others)
    ]


def make(name: str) -> None:
    """Run a job over the events, stop it with a savepoint, keep that."""
    kept = FOLDER / name
    with tempfile.TemporaryDirectory() as folder, RedisServer() as server:
        inbox = Path(folder) / "inbox"
        inbox.mkdir()
        job = _start([f"redis.url={server.url}", f"source.paths=['{inbox}']", _INLINE, *SETTINGS])
        ended = job.get_job_execution_result()
        found = redis.Redis.from_url(server.url, decode_responses=True)
        lines = [json.dumps(event) for event in events()]
        for part, until in (("1", len(lines) // 2), ("2", len(lines))):
            (inbox / f".{part}").write_text("\n".join(lines[until - len(lines) // 2 : until]))
            (inbox / f".{part}").rename(inbox / part)
            while found.hget("stats", "learned") != str(until):
                if ended.done():
                    ended.result()  # tells why
                time.sleep(0.05)
        savepoint = Path(stop(job, Path(folder).as_uri()).removeprefix("file:"))
        assert [file.name for file in savepoint.iterdir()] == ["_metadata"]
        kept.mkdir(parents=True)
        with gzip.GzipFile(kept / "_metadata.gz", "wb", mtime=0) as packed:
            packed.write((savepoint / "_metadata").read_bytes())
    (kept / "events.jsonl").write_text("\n".join(lines) + "\n")


def unpack(name: str, folder: Path) -> str:
    """Put a savepoint that was kept below `folder`, where Flink can read it; its path."""
    (folder / "savepoint").mkdir()
    packed = (FOLDER / name / "_metadata.gz").read_bytes()
    (folder / "savepoint" / "_metadata").write_bytes(gzip.decompress(packed))
    return str(folder / "savepoint")


def _start(settings: list[str]) -> Any:
    prepare_process()
    config = load(None, settings, {}).config
    stream, tables = environments(embedded_options(config) | flink_options(config))
    from flink_app.job import build

    build(stream, tables, config)
    return stream.execute_async()


def stop(job: Any, folder: str) -> str:
    """Stop a job with a savepoint below `folder`, a URI; the savepoint's own."""
    from pyflink.java_gateway import get_gateway

    # PyFlink's own stop_with_savepoint calls a method that Java no longer has.
    kind = get_gateway().jvm.org.apache.flink.core.execution.SavepointFormatType.CANONICAL
    return str(job._j_job_client.stopWithSavepoint(False, folder, kind).get())


if __name__ == "__main__":
    make(sys.argv[1])
