"""Resources used by the processes of a running stack: CPU time, memory, bytes through Redis.

In: the stack, a Redis client. Out: `Usage`; the difference of two is what the work in between has
used. CPU time, unlike events/s, hardly depends on the number of cores that the processes share.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped]
import redis

from benchmarks.process import status
from deploy.stack import Stack

_REDIS = {
    "commands": "total_commands_processed",
    "in_bytes": "total_net_input_bytes",
    "out_bytes": "total_net_output_bytes",
}


class Usage(msgspec.Struct, frozen=True):
    """Resources used since the processes started, or between two looks.

    Attributes:
        at_s: a clock. cpu_s: user and system time by process.
        redis: commands, bytes received and sent.
    """

    at_s: float
    cpu_s: dict[str, float]
    redis: dict[str, int]

    def since(self, before: Usage) -> Usage:
        """What was used between two looks; `at_s` is then a duration.

        >>> Usage(3.0, {"redis": 2.0}, {"commands": 9}).since(
        ...     Usage(1.0, {"redis": 1.5}, {"commands": 4}))
        Usage(at_s=2.0, cpu_s={'redis': 0.5}, redis={'commands': 5})
        """
        return Usage(
            self.at_s - before.at_s,
            {name: value - before.cpu_s[name] for name, value in self.cpu_s.items()},
            {name: value - before.redis[name] for name, value in self.redis.items()},
        )


def processes(stack: Stack) -> dict[str, int]:
    """The process ids of the stack: kafka, redis, jobmanager, taskmanager 1, …"""
    pids = {line.name: line.pids for line in stack.status() if line.up}
    leader, *workers = pids["flink"]
    named = {"kafka": pids["kafka"][0], "redis": pids["redis"][0], "jobmanager": leader}
    return named | {f"taskmanager {n}": pid for n, pid in enumerate(workers, 1)}


def look(pids: Mapping[str, int], client: redis.Redis) -> Usage:
    """The resources used so far by the processes and Redis."""
    cpu = {}
    for name, pid in pids.items():
        spent = psutil.Process(pid).cpu_times()
        cpu[name] = spent.user + spent.system
    info: Any = client.info("stats")
    return Usage(time.monotonic(), cpu, {name: int(info[key]) for name, key in _REDIS.items()})


def peak_mib(pids: Mapping[str, int]) -> dict[str, int]:
    """The peak resident memory of each process, MiB (Linux only)."""
    peaks = {}
    for name, pid in pids.items():
        peak = status(Path(f"/proc/{pid}/status"))["VmHWM"]
        peaks[name] = round(int(peak.split()[0]) / 1024)
    return peaks


def key_bytes(client: redis.Redis, pattern: str, sample: int = 200) -> int:
    """Mean memory in bytes of keys with this pattern in Redis, over `sample` of them."""
    sizes = []
    for key in client.scan_iter(pattern, count=1000):
        sizes.append(int(client.memory_usage(key, samples=0) or 0))  # type: ignore[arg-type]
        if len(sizes) == sample:
            break
    return round(sum(sizes) / max(len(sizes), 1))


def resident_mib(pids: Mapping[str, int]) -> dict[str, float]:
    """The current resident memory of each process, MiB."""
    return {name: psutil.Process(pid).memory_info().rss / 2**20 for name, pid in pids.items()}
