"""A live job whose items have metadata: how soon a new one is listed, and one out of stock is gone.

In: a Redis and numbers. Out: milliseconds, as JSON values. Events go into a watched folder.
`items.py` starts it as a separate process for each job, since a process can have one Java only.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import redis

from benchmarks.load import DIMENSIONS, ITEMS
from benchmarks.process import java
from flink_app.config import Config, load
from flink_app.console.totals import Totals, read_totals
from flink_app.graph.environment import embedded_options, environments, flink_options
from flink_app.simulator import Shop, ShopSettings, play, zipf_events
from flink_app.writers.files import DirectoryWriter, Writer

PATIENCE_S = 3.0
_AT_ONCE = 1000
_WARM = 20  # items that arrive before any is timed


def settings(folder: Path, url: str, given: Sequence[str] = ()) -> list[str]:
    """The settings of the job: the benchmarks' own, reading a folder."""
    return [
        "source.kind=directory",
        f'source.paths=["{folder}"]',
        f"redis.url={url}",
        f"model.dimensions={DIMENSIONS}",
        "job.shards=1",
        "job.item_shards=1",
        "dead_letters.kind=none",
        *given,
    ]


class Shared(Writer):
    """A `Writer` that several threads use."""

    def __init__(self, writer: Writer) -> None:
        self._writer, self._lock = writer, threading.Lock()

    def write(self, lines: Sequence[bytes]) -> None:
        """See `Writer`."""
        with self._lock:
            self._writer.write(lines)

    def flush(self) -> None:
        """See `Writer`."""
        with self._lock:
            self._writer.flush()


@contextlib.contextmanager
def live(url: str, given: Sequence[str] = ()) -> Iterator[tuple[Writer, Any]]:
    """A job that runs until the context is left; what writes to its folder, and its Redis."""
    with tempfile.TemporaryDirectory() as name:
        config: Config = load(None, settings(Path(name), url, given), {}).config
        client: Any = redis.Redis.from_url(url)
        client.flushall()
        with java(config), DirectoryWriter(Path(name)) as writer:
            from flink_app.job import build

            stream, tables = environments(embedded_options(config) | flink_options(config))
            build(stream, tables, config)
            job = stream.execute_async()
            try:
                yield Shared(writer), client
            finally:
                job.cancel().result()


def learned(client: Any, events: int, patience_s: float = 300.0) -> None:
    """Wait until the job has learned so many events.

    Raises:
        SystemExit: it has not.
    """
    end = time.monotonic() + patience_s
    while (read_totals(client, "") or Totals()).learned < events:
        if time.monotonic() > end:
            raise SystemExit(f"the job did not learn {events:,} events in {patience_s:.0f} s")
        time.sleep(0.1)


def quantiles(ms: Sequence[float]) -> dict[str, Any]:
    """p50, p99 and the largest of some milliseconds; None where there are none."""
    found = {f"p{q}_ms": np.percentile(ms, q, method="higher") for q in (50, 99, 100) if len(ms)}
    return {"timed": len(ms), **{name: round(float(value), 1) for name, value in found.items()}}


class Changes:
    """The channel on which the job announces users' lists."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._channel = client.pubsub(ignore_subscribe_messages=True)
        self._channel.subscribe("rec")
        self._channel.get_message(timeout=1.0)

    def wait(self, user: str, item: str) -> bool:
        """Wait until a list of the user has the item; False if none does for `PATIENCE_S`."""
        wanted, quoted = user.encode(), json.dumps(item).encode()
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            message = self._channel.get_message(timeout=0.2)
            if message is not None and message["data"] != wanted:
                continue
            if quoted in (self._client.get(f"rec:{user}") or b""):
                return True
        return False


def new_items(
    url: str, count: int, rate: float, *, active: bool, past: int = 20_000
) -> dict[str, Any]:
    """From writing the event of an item that nobody has taken until it stands in the list of a
    user who looked at one like it 0.3 s before: `count` items, one after the other, beside the
    traffic of a shop of `rate` events/s.

    Args:
        active: whether the user looks at another one 20 ms later; if not, the list is made anew
            only because of the item, if at all.
    """
    shop = Shop(ShopSettings(metadata=True, new_items=0.0, new_users=0.0))
    stop = threading.Event()
    ms, missing = [], 0
    with live(url) as (writer, client):
        play(shop, writer, past)
        learned(client, past)
        traffic = threading.Thread(
            target=play, args=(shop, writer, None, None, rate), kwargs={"stop": stop}
        )
        traffic.start()
        random, changes = np.random.default_rng(1), Changes(client)
        for number in range(count + _WARM):
            user = f"u{random.integers(shop.users)}"
            second, best = (f"i{n}" for n in np.argsort(shop.affinity(user))[-2:])
            now = time.time_ns() // 1_000_000
            click = {"user": user, "item": best, "type": "click", "ts": now}
            writer.write([json.dumps(click).encode()])
            time.sleep(0.3)
            item = shop.item(best, now) | {"kind": "item", "item": f"new-{number}"}
            began = time.perf_counter()
            writer.write([json.dumps(item | {"published": now}).encode()])
            if active:
                time.sleep(0.02)
                writer.write([json.dumps(click | {"item": second}).encode()])
            found = changes.wait(user, f"new-{number}")
            if number >= _WARM:
                missing += not found
                ms += [(time.perf_counter() - began) * 1000] * found
        stop.set()
        traffic.join()
    return {"rate": rate, "missing": missing, **quantiles(ms)}


def holders(client: Any, item: str, users: int) -> int:
    """How many users' lists in Redis have the item."""
    quoted, found = json.dumps(item).encode(), 0
    for begin in range(0, users, _AT_ONCE):
        keys = [f"rec:u{n}" for n in range(begin, min(begin + _AT_ONCE, users))]
        found += sum(quoted in (value or b"") for value in client.mget(keys))
    return found


def most_listed(client: Any, users: int) -> str:
    """The item that most of the users' lists have, of the first thousand."""
    values = client.mget([f"rec:u{n}" for n in range(min(users, _AT_ONCE))])
    lists = [json.loads(value)["items"] for value in values if value]
    items: list[str] = [entry["item"] for entry in chain.from_iterable(lists)]
    return max(sorted(set(items)), key=items.count)


def out_of_stock(url: str, users: int, rate: float) -> dict[str, Any]:
    """From writing that the most listed item is not available until no new list has it, and until
    none of all lists in Redis has: of `users` users with an event each, and traffic of `rate`
    events/s."""
    shop = Shop(ShopSettings(users=1, items=ITEMS, metadata=True))
    clicks = [
        line.replace(b'"u0"', b'"u%d"' % number)
        for number, line in enumerate(
            chain.from_iterable(part.splitlines() for part in zipf_events(users, 1, ITEMS))
        )
    ]
    with live(url) as (writer, client):
        writer.write(shop.news(time.time_ns() // 1_000_000))
        for begin in range(0, users, 5_000):
            writer.write(clicks[begin : begin + 5_000])
        learned(client, users)
        time.sleep(3.0)  # postponed lists
        item = most_listed(client, users)
        before = holders(client, item, users)
        writer.write([_availability(item)])
        began, late = time.perf_counter(), [0.0]
        stop = threading.Event()
        watch = threading.Thread(target=_watch, args=(url, item, began, late, stop))
        watch.start()
        shared = until(lambda: json.dumps(item).encode() not in (client.get("popular") or b""))
        load = threading.Thread(target=_clicks, args=(writer, users, rate, stop))
        load.start()
        gone = until(lambda: holders(client, item, users) == 0, 120.0)
        time.sleep(2.0)
        stop.set()
        watch.join()
        load.join()
    return {
        "lists": users,
        "holding": before,
        "popular_ms": round(shared * 1000, 1),
        "last_new_list_ms": round(late[0], 1),
        "all_lists_s": round(gone, 2),
    }


def _availability(item: str) -> bytes:
    now = time.time_ns() // 1_000_000
    return json.dumps({"kind": "item", "item": item, "ts": now, "available": False}).encode()


def until(done: Any, patience_s: float = PATIENCE_S) -> float:
    """Seconds until `done()`; infinite if that takes longer than the patience."""
    began = time.perf_counter()
    while not done():
        if time.perf_counter() - began > patience_s:
            return float("inf")
        time.sleep(0.005)
    return time.perf_counter() - began


def _watch(url: str, item: str, began: float, late: list[float], stop: threading.Event) -> None:
    """Note when the last list that still has the item was written, ms after `began`."""
    client: Any = redis.Redis.from_url(url)
    channel, quoted = client.pubsub(ignore_subscribe_messages=True), json.dumps(item).encode()
    channel.subscribe("rec")
    while not stop.is_set():
        message = channel.get_message(timeout=0.1)
        if message is None:
            continue
        now = time.perf_counter()
        if quoted in (client.get(f"rec:{message['data'].decode()}") or b""):
            late[0] = (now - began) * 1000


def _clicks(writer: Writer, users: int, rate: float, stop: threading.Event) -> None:
    """Random users click random items."""
    random = np.random.default_rng(2)
    while not stop.wait(0.02):
        count = int(rate * 0.02) or 1
        now = time.time_ns() // 1_000_000
        writer.write(
            [
                json.dumps({"user": f"u{u}", "item": f"i{i}", "type": "click", "ts": now}).encode()
                for u, i in zip(
                    random.integers(users, size=count).tolist(),
                    random.integers(ITEMS, size=count).tolist(),
                    strict=True,
                )
            ]
        )


def main() -> None:
    """`python -m benchmarks.items_live new|gone REDIS_URL ARGUMENTS`, these as a JSON object."""
    part, url, given = sys.argv[1:]
    measure: Any = {"new": new_items, "gone": out_of_stock}[part]
    print(json.dumps(measure(url, **json.loads(given))))


if __name__ == "__main__":
    main()
