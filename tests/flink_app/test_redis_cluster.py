"""The whole job on a real Redis Cluster writes what it writes to a single Redis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.flink_app.jobs import lists, run, start
from tests.udfs.redis_nodes import RedisNodes

VIEWS: list[dict[str, Any]] = [
    {"user": f"u{n % 30}", "item": f"i{n * n % 41}", "type": "view", "ts": n}
    for n in range(1_000_000_000_000, 1_000_000_000_600)
]


def settings(folder: Path, lines: list[dict[str, Any]]) -> list[str]:
    """Of a job that reads these lines."""
    events = folder / "events.jsonl"
    events.write_text("".join(json.dumps(line) + "\n" for line in lines))
    paths = f"source.paths={json.dumps([str(events)])}"
    return [paths, "job.strict=true", "lists.popular_every_s=0.1"]


@pytest.mark.job
def test_the_same_lists_are_in_a_cluster(tmp_path: Path, redis_url: str) -> None:
    given = settings(tmp_path, VIEWS)
    fields = run(redis_url, *given)
    assert fields["learned"] == "600"
    alone = lists(redis_url)
    with RedisNodes(tmp_path) as nodes:
        start(nodes.url, *given).get_job_execution_result().result()
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


@pytest.mark.job
def test_what_is_known_of_items_is_in_a_cluster(tmp_path: Path) -> None:
    items: list[dict[str, Any]] = [
        {"kind": "item", "item": f"i{n}", "categories": ["tea" if n % 2 else "tools"]}
        for n in range(41)
    ]
    gone = {"i1", "i4"}
    items += [{"kind": "item", "item": item, "available": False} for item in sorted(gone)]
    with RedisNodes(tmp_path) as nodes:
        job = start(nodes.url, *settings(tmp_path, [*items, *VIEWS]))
        job.get_job_execution_result().result()
        client: Any = redis.RedisCluster(
            host="127.0.0.1", port=nodes.ports[0], decode_responses=True
        )
        stats = client.hgetall("stats")
        assert (stats["learned"], stats["described"], stats["dead"]) == ("600", "43", "0")
        assert client.smembers("hidden") == gone
        assert json.loads(client.get("item:i1"))["categories"] == ["tea"]
        assert client.exists("popular:tea") and client.exists("trending:tools")
        names = [key for key in client.scan_iter() if key.startswith(("rec:", "popular"))]
        assert len(names) >= 30 + 3
        for name in names:
            shown = {entry["item"] for entry in json.loads(client.get(name))["items"]}
            assert shown and not shown & gone, name
        client.close()
