"""The whole job on a real Redis Cluster writes what it writes to a single Redis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.flink_app.jobs import lists, run, start
from tests.udfs.redis_nodes import RedisNodes


@pytest.mark.job
def test_the_same_lists_are_in_a_cluster(tmp_path: Path, redis_url: str) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text(
        "".join(
            json.dumps({"user": f"u{n % 30}", "item": f"i{n * n % 41}", "type": "view", "ts": n})
            + "\n"
            for n in range(1_000_000_000_000, 1_000_000_000_600)
        )
    )
    settings = [
        f"source.paths={json.dumps([str(events)])}", "job.strict=true", "lists.popular_every_s=0.1",
    ]  # fmt: skip
    fields = run(redis_url, *settings)
    assert fields["learned"] == "600"
    alone = lists(redis_url)
    with RedisNodes(tmp_path) as nodes:
        start(nodes.url, *settings).get_job_execution_result().result()
        client: Any = redis.RedisCluster(
            host="127.0.0.1", port=nodes.ports[0], decode_responses=True
        )
        assert client.hgetall("stats")["learned"] == "600"
        assert client.exists("popular") and client.exists("similar:i0")
        assert client.exists("feed:snapshot:{0}") and client.exists("feed:epoch:{0}")
        assert len(alone) == 30
        for key, value in alone.items():
            assert json.loads(client.get(key))["items"] == value["items"]
        client.close()
