"""The packaged job restored from savepoints, with the commands of docs/operations.md: at another
parallelism, 1 → 2 → 1, no user, item or event is lost; with another layout it is refused.

Redis is emptied before each start, so that its content afterwards comes from Flink's state.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import redis

from deploy.stack import Stack
from tests.deploy.stack.cluster import Cluster, package
from tests.flink_app.jobs import counts, lists, stats
from tests.flink_app.published import counted, in_state, together
from tests.waiting import wait_for

pytestmark = pytest.mark.stack

USERS, ITEMS, PHASE = 150, 120, 1500


def event(n: int) -> dict[str, str]:
    user, item = n * 7919 % 10007 % USERS, n * 104729 % 7013 % ITEMS
    return {"user": f"u{user}", "item": f"i{item}", "type": "purchase", "id": f"e{n}"}


def test_from_a_savepoint_at_another_parallelism(
    running: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    url = running.redis_url
    archive = package(running, tmp_path / "job.zip", "rescaled")
    code = ["-pyfs", str(archive), "-pym", "flink_app.main"]
    events = [event(n) for n in range(3 * PHASE)]
    savepoint: list[str] = []
    for phase, parallelism in enumerate(("1", "2", "1")):
        before, now = events[: phase * PHASE], events[phase * PHASE : (phase + 1) * PHASE]
        redis.Redis.from_url(url).flushall()
        # Ids are remembered too: the later phases repeat events of the first one.
        lines = [json.dumps(each) for each in [*now, *before[:100]]]
        if not before:
            cluster.produce("rescaled", lines)  # creates the topic
        job = cluster.submit("-d", "-p", parallelism, *savepoint, *code)
        if before:
            wait_for(lambda: in_state(url).catalogue.living == ITEMS, 120)
            found, pairs = counted(in_state(url))
            assert found == Counter(each["item"] for each in before)
            assert pairs == together(before)
            cluster.produce("rescaled", lines)
        accounted = {
            "received": (phase + 1) * PHASE + phase * 100,
            "learned": (phase + 1) * PHASE,
            "duplicates": phase * 100,
            "dead": 0,
            "ignored": 0,
        }
        wait_for(lambda accounted=accounted: counts(stats(url)) == accounted, 120)  # type: ignore[misc]
        if phase == 1:
            savepoint = ["-s", cluster.savepoint(job, tmp_path.as_uri())]
            cluster.cancel(job)
        else:
            savepoint = ["-s", cluster.stop(job, tmp_path)]
    lists_of_all(url, events)
    another_layout_is_refused(cluster, url, [*savepoint, *code])


def another_layout_is_refused(cluster: Cluster, url: str, arguments: list[str]) -> None:
    """It is refused before a job is submitted or Redis is changed."""
    client = redis.Redis.from_url(url)
    client.flushall()
    jobs = cluster.rest("/jobs/overview")
    refused = cluster.flink("run", "-d", *arguments, "--set", "model.dimensions=16")
    sentence = (
        f"error: {arguments[1]} was written with model.dimensions = 32, but this job has 16: set "
        "model.dimensions = 32, or start without the old state."
    )
    assert sentence in refused.stdout + refused.stderr
    assert refused.returncode
    assert cluster.rest("/jobs/overview") == jobs
    assert client.dbsize() == 0


def lists_of_all(url: str, events: list[dict[str, str]]) -> None:
    """In every phase, each user's list reflects the number of events and the consumed items."""
    found = lists(url)
    numbers = {stored["user"]: int(stored["id"].split("-")[1], 16) for stored in found.values()}
    assert numbers == Counter(each["user"] for each in events)
    for stored in found.values():
        consumed = {each["item"] for each in events if each["user"] == stored["user"]}
        shown = {item["item"] for item in stored["items"]}
        assert len(shown) == 20
        assert not shown & consumed
