"""The packaged job on the real stack: Kafka to Redis at parallelism 2, submitted by `flink run`."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path

import pytest
import redis

from deploy.stack import Stack
from tests.deploy.stack.cluster import Cluster, package
from tests.flink_app.jobs import counts, lists, stats
from tests.waiting import wait_for

pytestmark = pytest.mark.stack


def test_kafka_to_redis_at_parallelism_2(running: Stack, cluster: Cluster, tmp_path: Path) -> None:
    url = running.redis_url
    events = [
        {
            "user": f"u{n * 7919 % 10007 % 300}",
            "item": f"i{n * 104729 % 7013 % 400}",
            "type": "purchase",
            "id": f"e{n}",
        }
        for n in range(20_000)
    ]
    lines = [json.dumps(event) for event in events]
    cluster.produce("shop", [*lines, *lines[:1000], "{broken", "17"])

    # A bounded job reads everything in the topic, then ends.
    archive = package(running, tmp_path / "bounded.zip", "shop", "source.bounded=true")
    job = cluster.submit("-p", "2", "-pyfs", str(archive), "-pym", "flink_app.main")
    assert cluster.state(job) == "FINISHED"
    expected = {"received": 21_002, "learned": 20_000, "duplicates": 1000, "dead": 2, "ignored": 0}
    assert counts(stats(url)) == expected
    consumed: dict[str, set[str]] = {}
    for event in events:
        consumed.setdefault(f"rec:{event['user']}", set()).add(event["item"])
    found = lists(url)
    assert set(found) == set(consumed)
    for key, stored in found.items():
        shown = {item["item"] for item in stored["items"]}
        assert len(shown) == 20
        assert not shown & consumed[key]
    letters = [json.loads(letter) for letter in cluster.read("refused", 2)]
    assert sorted(letter["line"] for letter in letters) == ["17", "{broken"]
    assert all(letter["source"].startswith("kafka:shop:") for letter in letters)

    # A live job in the same TaskManagers: a click changes a list.
    archive = package(running, tmp_path / "live.zip", "shop")
    job = cluster.submit("-d", "-p", "2", "-pyfs", str(archive), "-pym", "flink_app.main")
    wait_for(lambda: counts(stats(url)) == expected, 120)
    client = redis.Redis.from_url(url)
    before = client.get("rec:u1")
    cluster.produce("shop", [json.dumps({"user": "u1", "item": "brand new", "type": "purchase"})])
    wait_for(lambda: client.get("rec:u1") != before, 120)
    wait_for(lambda: counts(stats(url))["learned"] == 20_001, 120)
    assert client.xlen("feed:log") > 0
    cluster.cancel(job)


def test_the_code_of_another_version_is_refused(
    running: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    archive = package(running, tmp_path / "this.zip", "versions")
    cluster.produce("versions", [json.dumps({"user": "u1", "item": "i1"})])
    code = ["-pym", "flink_app.main", "-p", "2"]
    job = cluster.submit("-d", "-pyfs", str(archive), *code)
    wait_for(lambda: cluster.state(job) == "RUNNING" and lists(running.redis_url), 120)
    cluster.cancel(job)
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data + b"# changed\n" if name == "udfs/lists/contract.py" else data)
    # Not from this folder, whose sources would take precedence over the archive's.
    done = cluster.flink("run", "-d", "-pyfs", str(other), *code, folder=tmp_path)
    found = re.search(r"JobID ([0-9a-f]{32})", done.stdout)
    assert found, done.stdout + done.stderr
    path = f"/jobs/{found[1]}/exceptions"
    wait_for(lambda: "Restart the TaskManagers" in str(cluster.rest(path)), 120)
