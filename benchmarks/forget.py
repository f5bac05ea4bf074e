"""How long it takes until a user is forgotten: everything in Redis, and the state.

In: users, and how many of them are forgotten one after the other, from the command line. Out: one
JSON line: ms from writing the line into the watched folder until no list, kept list and factor of
the user is in Redis, p50 and p99; the same until the receipt, which is written before the batch's
state is handed back; and how many batches the job took in between, at most.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import redis

from benchmarks.items_live import quantiles
from flink_app.data.rights import answered, line
from flink_app.local.redis_server import RedisServer
from tests.flink_app.jobs import live, stats
from udfs.lists.keys import RECEIPT, digest, keys_of

_EACH = 40  # events of each user


def run(users: int, forgotten: int) -> dict[str, Any]:
    """Start a job, let it learn, forget users one by one."""
    gone, done, batches = [], [], []
    with tempfile.TemporaryDirectory() as name, RedisServer() as server:
        inbox = Path(name)
        settings = [
            "source.kind=directory", f"source.paths=['{name}']", "dead_letters.kind=none",
            "redis.factors=true", "lists.kept=40",
        ]  # fmt: skip
        events = [
            json.dumps({"user": f"u{n % users}", "item": f"i{n * 7919 % 997}", "type": "view"})
            for n in range(users * _EACH)
        ]
        client: Any = redis.Redis.from_url(server.url)
        with live(server.url, *settings):
            _deliver(inbox, "events", "\n".join(events))
            while stats(server.url).get("learned") != str(len(events)):
                time.sleep(0.1)
            for n in range(forgotten):
                user, before = f"u{n}", int(stats(server.url)["batches"])
                keys, ts = keys_of(user), time.time_ns() // 1_000_000
                assert client.exists(*keys) == len(keys)
                began = time.perf_counter()
                _deliver(inbox, f"forget{n}", line("forget", user, ts).decode())
                while client.exists(*keys):
                    time.sleep(0.0005)
                gone.append((time.perf_counter() - began) * 1000)
                while answered(client.get(RECEIPT + digest(user)), ts) is None:
                    time.sleep(0.0005)
                done.append((time.perf_counter() - began) * 1000)
                time.sleep(0.6)  # the totals are written twice a second
                batches.append(int(stats(server.url)["batches"]) - before)
    return {
        "users": users, "forgotten": forgotten, "batches": max(batches),
        "gone": quantiles(gone), "receipt": quantiles(done),
    }  # fmt: skip


def _deliver(inbox: Path, name: str, text: str) -> None:
    (inbox / f".{name}").write_text(text + "\n")
    (inbox / f".{name}").rename(inbox / name)


def main() -> None:
    """Run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=2_000)
    parser.add_argument("--forgotten", type=int, default=100)
    options = parser.parse_args()
    print(json.dumps(run(options.users, options.forgotten)))


if __name__ == "__main__":
    main()
