"""Checks that this version makes exactly the same lists as another commit.

In: a git reference. Out: the number of lists of a strict run that differ, and the first of them;
exit code 1 if any does. Both versions learn the same events of the simulated shop one by one, with
one shard, and the final content of Redis is compared: of a list whose it is, its source and its
items, except `similar:`, which depends on the clock.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import redis

from benchmarks.compare import HERE, checked_out
from flink_app.local.redis_server import RedisServer
from flink_app.simulator import ShopSettings, simulate
from flink_app.writers.files import FileWriter

_STRICT = {
    "job.strict": "true",
    "job.shards": "1",
    "job.item_shards": "1",
    "job.parallelism": "1",
    "redis.factors": "true",
}
_COMPARED = "user", "item", "v", "source", "items"
_SHOP = ShopSettings(users=400, items=600)


def lists_of(tree: Path, events: Path, url: str, settings: dict[str, str]) -> dict[str, Any]:
    """Every list and factor that the version in `tree` writes to Redis, by key."""
    options = [f"--set={key}={value}" for key, value in (settings | {"redis.url": url}).items()]
    with redis.Redis.from_url(url) as client:
        client.flushall()
        subprocess.run(
            [sys.executable, "-m", "flink_app", "run", str(events), *options],
            cwd=tree,
            env=os.environ | {"PYTHONPATH": str(tree)},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        found: dict[str, Any] = {}
        for key in sorted(client.scan_iter()):
            name = key.decode()
            if name.startswith("factor:"):
                found[name] = client.get(key)
            elif name.startswith("rec:") or name in ("popular", "trending"):
                value = msgspec.json.decode(client.get(key) or b"{}")
                found[name] = {k: v for k, v in value.items() if k in _COMPARED}
        return found


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """The keys that are missing on either side or have different values.

    >>> differences({"a": 1, "b": 2}, {"b": 3, "c": 4})
    ['a', 'b', 'c']
    """
    return [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]


def main() -> int:
    """Generate, run both, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ref", help="the commit, tag or branch to compare with")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="settings")
    options = parser.parse_args()
    settings = _STRICT | dict(setting.split("=", 1) for setting in options.settings)
    with (
        tempfile.TemporaryDirectory() as folder,
        checked_out(options.ref, Path(folder)) as other,
        RedisServer() as server,
    ):
        events = Path(folder) / "events.jsonl"
        with FileWriter(events) as writer:
            simulate(_SHOP, writer, events=options.events)
        found = [lists_of(tree, events, server.url, settings) for tree in (HERE, other)]
    differ = differences(*found)
    for key in differ[:5]:
        print(key, *(f"  {lists.get(key)!s:.300}" for lists in found), sep="\n")
    counts = f"{len(found[0])} lists and factors of this version, {len(found[1])} of {options.ref}"
    print(f"{counts}: {len(differ)} differ")
    return 1 if differ or not found[0] else 0


if __name__ == "__main__":
    sys.exit(main())
