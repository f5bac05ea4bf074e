"""The accounts of processes and of Redis, on this process and a test Redis."""

from __future__ import annotations

import os
import time

import pytest
import redis

from benchmarks.usage import Usage, key_bytes, look, peak_mib


def test_usage_has_the_cpu_time_and_bytes_between_two_looks(redis_client: redis.Redis) -> None:
    pids = {"me": os.getpid()}
    before = look(pids, redis_client)
    began = time.process_time()
    while time.process_time() - began < 0.1:
        pass
    redis_client.set("key", b"x" * 10_000)
    redis_client.get("key")
    used = look(pids, redis_client).since(before)
    assert 0.08 < used.cpu_s["me"] < 5
    assert used.at_s > 0.08
    # The first look is itself a command, which was counted before it was answered.
    assert 2 <= used.redis["commands"] <= 4
    assert 10_000 < used.redis["in_bytes"] < 11_000
    assert 10_000 < used.redis["out_bytes"] < 20_000


def test_a_difference_is_taken_by_name() -> None:
    later = Usage(3.0, {"redis": 2.0}, {"commands": 9})
    earlier = Usage(1.0, {"redis": 1.5}, {"commands": 4})
    assert later.since(earlier) == Usage(2.0, {"redis": 0.5}, {"commands": 5})
    with pytest.raises(KeyError):
        later.since(Usage(1.0, {}, {}))


def test_the_peak_memory_of_a_process() -> None:
    before = peak_mib({"me": os.getpid()})["me"]
    held = bytearray(os.urandom(1) * (before + 64) * 2**20)
    assert peak_mib({"me": os.getpid()})["me"] >= before + 32
    del held


def test_key_bytes_are_a_mean_over_matching_keys(redis_client: redis.Redis) -> None:
    assert key_bytes(redis_client, "rec:*") == 0
    for n in range(20):
        redis_client.set(f"rec:{n}", b"x" * 2000)
    redis_client.set("stats", b"x" * 100_000)
    assert 2000 < key_bytes(redis_client, "rec:*") < 3000
