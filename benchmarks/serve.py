"""Latency and requests/s of `millirec serve`: GET /recommend/{user}, on a warm Redis.

In: seconds for each rate. Out: a table on standard output, and JSON in benchmarks/out.

The load is open: requests are due at times drawn in advance (a Poisson process), whether or not
earlier ones have been answered, and latency counts from when the request was due. So the waiting
that slow answers cause is included. Server, Redis and load share the machine's cores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import selectors
import subprocess
import sys
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import psutil  # type: ignore[import-untyped]
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer

USERS, ITEMS = 20_000, 20
TARGET = 1000
RATES = (1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000, 10_000)
CONNECTIONS = 64
KEEPS_UP_MS = 10.0
"""The server keeps up with a rate if 99 % of answers arrive within this time."""
_WAIT_S = 5.0


class Load(asyncio.Protocol):
    """A persistent connection with one request at a time."""

    def __init__(self, free: deque[Load], done: list[float], failed: list[int]) -> None:
        self._free, self._done, self._failed = free, done, failed
        self._due, self._rest, self._buffer = 0.0, -1, b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Mark the connection as free."""
        self._transport = cast(asyncio.Transport, transport)
        self._free.append(self)

    def ask(self, request: bytes, due: float) -> None:
        """Send a request that was due at a time of the monotonic clock, in seconds."""
        self._due = due
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer, and record the latency when it is complete."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = b""
        self._done.append(time.monotonic() - self._due)
        if not head.startswith(b"HTTP/1.1 200"):
            self._failed.append(int(head[9:12]))
        self._free.append(self)

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()


Requests = Callable[[np.random.Generator, int], list[bytes]]
"""Makes that many requests."""


def lists(random: np.random.Generator, count: int) -> list[bytes]:
    """Requests for random users' lists."""
    form = "GET /recommend/u{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    return [form.format(user).encode() for user in random.integers(0, USERS, count).tolist()]


async def ask(
    port: int, rate: float, seconds: float, seed: int, requests: Requests = lists
) -> dict[str, Any]:
    """Send requests at `rate`; returns the figures."""
    random = np.random.default_rng(seed)
    free: deque[Load] = deque()
    done: list[float] = []
    failed: list[int] = []
    loop = asyncio.get_running_loop()
    connections = [
        (await loop.create_connection(lambda: Load(free, done, failed), "127.0.0.1", port))[1]
        for _ in range(CONNECTIONS)
    ]
    count = int(rate * seconds)
    due = np.cumsum(random.exponential(1 / rate, count)).tolist()
    asked = requests(random, count)
    began = time.monotonic() + 0.1
    for at, request in zip(due, asked, strict=True):
        if (pause := began + at - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        while not free:
            await asyncio.sleep(0)
            if time.monotonic() - began - at > _WAIT_S:
                break
        else:
            free.popleft().ask(request, began + at)
            continue
        break  # too far behind
    end = time.monotonic() + _WAIT_S
    while len(free) < CONNECTIONS and time.monotonic() < end:
        await asyncio.sleep(0.01)
    spent = time.monotonic() - began
    for connection in connections:
        connection.close()
    times = np.array(done) * 1000
    p50, p99, p999 = (
        map(float, np.percentile(times, [50, 99, 99.9])) if done else [float("inf")] * 3
    )
    return {
        "rate": rate,
        "asked": count,
        "answered": len(done),
        "failed": len(failed),
        "per_s": len(done) / spent,
        "p50_ms": p50,
        "p99_ms": p99,
        "p999_ms": p999,
        "max_ms": float(times.max(initial=0)),
    }


def fill(url: str) -> None:
    """Write lists like those of the job."""
    with redis.Redis.from_url(url) as client:
        pipeline = client.pipeline(transaction=False)
        for user in range(USERS):
            items = [
                {
                    "item": f"i{(user * 7 + n) % 5000}",
                    "score": round(1 - n / 40, 4),
                    "why": {"model": "item-cf", "because": [f"i{n}", f"i{n + 1}"]},
                }
                for n in range(ITEMS)
            ]
            value = {"user": f"u{user}", "id": f"{user:x}-1", "at": 1, "v": 1, "source": "ranker"}
            pipeline.set(f"rec:u{user}", msgspec.json.encode({**value, "items": items}))
        pipeline.set("popular", msgspec.json.encode({**value, "source": "popular", "items": items}))
        pipeline.execute()


@contextmanager
def server(url: str, port: int, *settings: str) -> Iterator[int]:
    """`millirec serve` as a separate process; yields its process id."""
    command = [sys.executable, "-m", "flink_app", "serve", "--port", str(port)]
    command += [part for setting in settings for part in ("--set", setting)]
    process = subprocess.Popen(command, env=os.environ | {"REDIS_URL": url})
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=1).close()
                break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise SystemExit("millirec serve does not start") from None
                time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


def measure(
    port: int, pid: int, rate: float, seconds: float, requests: Requests = lists
) -> dict[str, Any]:
    """Measure one rate, after warming up at that rate."""
    # select waits with a resolution of microseconds, epoll of milliseconds.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    with closing(loop):
        loop.run_until_complete(ask(port, rate, min(2.0, seconds / 2), 1, requests))
        process = psutil.Process(pid)
        before = sum(process.cpu_times()[:2])
        row = loop.run_until_complete(ask(port, rate, seconds, 2, requests))
    row["server_cpu"] = (sum(process.cpu_times()[:2]) - before) / seconds
    return row


def keeps_up(row: dict[str, Any]) -> bool:
    """Whether the server keeps up: all requests are answered, soon enough."""
    complete = row["answered"] == row["asked"] and not row["failed"]
    return bool(complete and row["p99_ms"] <= KEEPS_UP_MS)


def main() -> None:
    """Measure the target rate, then higher ones until one is too high."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/serve.json"))
    arguments = parser.parse_args()
    rows = []
    port = free_port()
    with RedisServer() as store:
        fill(store.url)
        with server(store.url, port) as pid:
            for rate in (TARGET, *RATES):
                rows.append(measure(port, pid, rate, arguments.seconds))
                if not keeps_up(rows[-1]):
                    break
    best = max((row["rate"] for row in rows if keeps_up(row)), default=0)
    table = Table(title=f"GET /recommend/{{user}}; highest rate: {best:,.0f} requests/s")
    for name in (
        "requests/s",
        "answered",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "server's CPU",
    ):
        table.add_column(name, justify="right")
    for row in rows:
        figures = (f"{row[f'{name}_ms']:.2f}" for name in ("p50", "p99", "p999", "max"))
        share = row["answered"] / row["asked"]
        table.add_row(f"{row['rate']:,}", f"{share:.1%}", *figures, f"{row['server_cpu']:.0%}")
    Console().print(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    result = {"machine": machine(), "highest": best, "rates": rows}
    arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
