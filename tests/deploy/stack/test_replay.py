"""Recorded events are replayed to a real Kafka, as a user would do it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from deploy.stack import Stack
from tests.deploy.stack.cluster import Cluster

pytestmark = pytest.mark.stack

EVENTS = 3_000


def test_every_event_is_in_the_topic_and_each_users_are_in_order(
    running: Stack, cluster: Cluster, tmp_path: Path
) -> None:
    file = tmp_path / "history.csv"
    rows = [f"u{n % 97},i{n},view,{1_700_000_000 + n},," for n in range(EVENTS)]
    file.write_text("\n".join(["user,item,type,ts,value,id", *rows[::-1]]) + "\n")
    target = f"kafka://{running.kafka_bootstrap}/replayed"
    command = [sys.executable, "-m", "flink_app", "replay", str(file)]
    command += ["--speed", "1000", "--to", target, "--set", "source.format=csv"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"3,000 events written to {target}" in done.stderr
    found: dict[str, list[int]] = {}
    for line in cluster.read("replayed", EVENTS):
        event = msgspec.json.decode(line)
        found.setdefault(event["user"], []).append(int(event["item"][1:]))
    assert found == {f"u{n}": list(range(n, EVENTS, 97)) for n in range(97)}
