"""Latency of filtered lists over HTTP: `GET /recommend/{user}?filter=…`, of 100,000 items.

In: seconds for each rate. Out: a table on standard output, and JSON in benchmarks/out.

Each request is of a random user of 20,000 and has one of 27 conditions, which rule out from a third
to 99 % of the items. A user's list has 20 of all items, `kept:` has 80 more, popularity by category
20 in each of 50. The load is open, as of `benchmarks.serve`, and server, Redis and load share the
machine's cores: what it does besides shows in the high percentiles. So the server's CPU time for
each request is stated, too, and the same of lists without a filter, which are measured in turns.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec
import numpy as np
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.serve import USERS, lists, measure, server
from flink_app.local.ports import free_port
from flink_app.local.redis_server import RedisServer

ITEMS, CATEGORIES, LENGTH, KEPT = 100_000, 50, 20, 100
RATES = (50, 100, 200, 400, 800)
HIDDEN = 1000
FILTERS = (
    *(f'category == "c{n}"' for n in range(0, CATEGORIES, 5)),
    *(f'category == "c{n}" && price < 20' for n in range(0, CATEGORIES, 5)),
    *(f"price < {price}" for price in (5, 20, 50)),
    'available && price > 10 && "t3" in tags',
    'categories.exists(c, c.startsWith("c1")) && price < 40',
    'provider in ["p1", "p2", "p3"] || title.contains("Kettle 7")',
    'attributes["colour"] == "red" && available',
)


def fill(url: str) -> None:
    """Write items and lists like those of the job."""
    random = np.random.default_rng(1)
    price = np.exp(random.normal(3.0, 1.0, ITEMS)).round(2).tolist()
    group = random.integers(0, CATEGORIES, ITEMS).tolist()
    with redis.Redis.from_url(url) as client:
        pipeline = client.pipeline(transaction=False)
        for n in range(ITEMS):
            fields = {
                "title": f"Kettle {n}",
                "text": "A kettle of copper, for tea and for coffee, that keeps warm for hours.",
                "categories": [f"c{group[n]}", f"c{(group[n] + 1) % CATEGORIES}"],
                "tags": [f"t{n % 7}", f"t{n % 11}"],
                "price": price[n],
                "provider": f"p{n % 40}",
                "available": n % 20 > 0,
                "attributes": {"colour": ("red", "blue", "green")[n % 3], "litres": n % 4 / 2},
            }
            pipeline.set(f"item:i{n}", msgspec.json.encode(fields))
        for user in range(USERS):
            own = random.choice(ITEMS, KEPT, replace=False).tolist()
            pipeline.set(f"rec:u{user}", listed(own[:LENGTH], user=f"u{user}"))
            pipeline.set(f"kept:u{user}", listed(own[LENGTH:], user=f"u{user}"))
            if user % 1000 == 0:
                pipeline.execute()
        for category in range(CATEGORIES):
            own = [n for n in range(ITEMS) if group[n] == category][:LENGTH]
            pipeline.set(f"popular:c{category}", listed(own))
        pipeline.set("popular", listed([*range(LENGTH)]))
        pipeline.sadd("hidden", *[f"i{n}" for n in random.choice(ITEMS, HIDDEN).tolist()])
        pipeline.execute()


def listed(items: list[int], **head: str) -> bytes:
    """A list in the form of the job."""
    entries = [
        {"item": f"i{n}", "score": round(1 - at / 200, 4), "why": {"model": "mf"}}
        for at, n in enumerate(items)
    ]
    whole = {**head, "id": "x-1", "at": 1, "v": 1, "source": "ranker", "items": entries}
    return msgspec.json.encode(whole)


def requests(random: np.random.Generator, count: int) -> list[bytes]:
    """Requests for random users' lists by random conditions."""
    chosen = random.integers(0, len(FILTERS), count).tolist()
    users = random.integers(0, USERS, count).tolist()
    queries = [urlencode({"filter": text, "n": 10}) for text in FILTERS]
    form = "GET /recommend/u{}?{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    pairs = zip(users, chosen, strict=True)
    return [form.format(user, queries[which]).encode() for user, which in pairs]


def main() -> None:
    """Measure all rates."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0, help="of each rate")
    parser.add_argument("--rates", type=float, nargs="*", default=RATES)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/filters.json"))
    arguments = parser.parse_args()
    port, rows = free_port(), list[tuple[str, dict[str, Any]]]()
    with RedisServer() as store:
        fill(store.url)
        with server(store.url, port, f"lists.kept={KEPT - LENGTH}") as pid:
            for rate in arguments.rates:
                for what, made in (("whole", lists), ("filtered", requests)):
                    rows.append((what, measure(port, pid, rate, arguments.seconds, made)))
    table = Table(title=f"GET /recommend/{{user}}, whole and with ?filter=…&n=10; {ITEMS:,} items")
    for name in (
        "lists",
        "requests/s",
        "answered",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "ms of CPU",
    ):
        table.add_column(name, justify="right")
    for what, row in rows:
        figures = (f"{row[f'{name}_ms']:.2f}" for name in ("p50", "p99", "p999", "max"))
        share = (row["answered"] - row["failed"]) / row["asked"]
        cpu = f"{row['server_cpu'] / row['rate'] * 1000:.2f}"
        table.add_row(what, f"{row['rate']:,}", f"{share:.1%}", *figures, cpu)
    Console().print(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    rates = [{"lists": what, **row} for what, row in rows]
    arguments.out.write_text(json.dumps({"machine": machine(), "rates": rates}, indent=2) + "\n")


if __name__ == "__main__":
    main()
