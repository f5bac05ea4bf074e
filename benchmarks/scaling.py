"""Calculates what a job of many TaskManagers, users and items needs, and what breaks first.

In: a `Site` and the measured `Constants`. Out: `needs`, amounts by resource, each with what one
machine provides; `python -m benchmarks.scaling` prints them for 8, 64 and 512 TaskManagers with
100,000,000 users and 10,000,000 items, with the constants of docs/performance.md or, with
`--batches FILE` and `--feed FILE`, those of what these two benchmarks have just printed. The
layouts in bytes are those of `udfs` (`udfs.state.records`, `udfs.models.item_cf.wire`,
docs/operations.md).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.scaling_constants import Constants, measured
from udfs.learning.batch_queue import MOST

GIB, MB = 2**30, 1e6
TOUCHED = 50  # items per event in messages to item learners: recent ones, and random negatives
BUSY = 0.9  # of a core: with a higher load, batches queue up at a TaskManager's operators


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A job and its load.

    Attributes:
        task_managers: of one slot. rate: events/s of all. users, items: known.
        shards: user shards for each TaskManager. window_ms: of a micro-batch. train:
            `ranker.train_per_s`.
        dimensions, neighbours, consumers, history, bound: `model.dimensions`, `item_cf.neighbours`,
            `user_cf.consumers`, consumed items of a user, `feed.megabytes_per_s`.
    """

    task_managers: int
    rate: float
    users: int = 100_000_000
    items: int = 10_000_000
    shards: int = 1
    window_ms: int = 5
    train: float = 100.0
    dimensions: int = 32
    neighbours: int = 200
    consumers: int = 50
    history: int = 64
    bound: float = 4.0


class Need(NamedTuple):
    """An amount, its unit, and what one machine can provide; a share above 1 cannot be met."""

    amount: float
    unit: str
    gives: float

    @property
    def share(self) -> float:
        """The amount as a share of what one machine can provide."""
        return self.amount / self.gives


def item_row(d: int) -> int:
    """Bytes of an item in state and in snapshots, including 12 for its id."""
    return 84 + 8 * d + 12


def changed_row(d: int) -> int:
    """Bytes of an item in the log of the feed, named by its key."""
    return 58 + 4 * d


def pairs_row(neighbours: int) -> int:
    """Bytes of an item's pairs in the feed: a head, a number and a count for each neighbour, and
    the keys of neighbours that several rows share."""
    return 26 + 6 * neighbours


def item_replica(site: Site) -> int:
    """Bytes of an item in the memory of every user learner, see docs/operations.md.

    >>> item_replica(Site(task_managers=1, rate=1.0))
    2956
    """
    return 680 + 8 * site.dimensions + 8 * site.neighbours + 12 * site.consumers


def user_state(site: Site) -> float:
    """Bytes of a user in state."""
    return 304 + 4 * site.dimensions + 260 * site.history / 32


def user_load(site: Site, c: Constants, batches: float) -> float:
    """Cores of one user learner at `batches` per second; small ones cost almost as much as large
    ones."""
    each = c.batch_us(site.rate / site.task_managers / batches, site.train / batches)
    return (batches * each + pieces(site) * c.crossing_us) / 1e6


def batches(site: Site, c: Constants) -> float:
    """Batches/s that one user learner learns: all pieces, or as many as it has time for, since
    waiting pieces are learned as one, up to `MOST` events (`udfs.learning.batch_queue`).

    >>> from math import isclose
    >>> batches(Site(task_managers=1, rate=1_000.0), Constants())
    200.0
    >>> busy = Site(task_managers=8, rate=24_000.0)
    >>> isclose(python_load(busy, Constants(), batches(busy, Constants())), BUSY)
    True
    """
    high, low = pieces(site), site.rate / site.task_managers / MOST

    def fits(n: float) -> bool:
        return python_load(site, c, n) <= BUSY

    if fits(high) or low >= high:
        return high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def python_load(site: Site, c: Constants, batches: float) -> float:
    """Cores of all operators of a TaskManager, which share one interpreter and its lock; compiled
    loops release the lock, so slightly more than one core is available."""
    parsing = site.rate / site.task_managers * c.parse_us / 1e6
    reading = feed_written(site, c) * 1000 * c.read_us / 1e6
    return user_load(site, c, batches) + item_load(site, c, batches) + parsing + reading


def pieces(site: Site) -> float:
    """Pieces/s for one user learner: each TaskManager's window gives one for each user shard, but
    never more than there are events.

    >>> pieces(Site(task_managers=8, rate=80_000.0))
    1600.0
    """
    windows = 1000 / site.window_ms
    return min(site.task_managers * site.shards * windows, site.rate / site.task_managers)


def item_load(site: Site, c: Constants, batches: float) -> float:
    """Cores of one item learner, if each user learner has `batches` per second, each of which sends
    a message to every item shard (one per TaskManager) that it concerns."""
    reach = min(1.0, site.rate / site.task_managers / batches * TOUCHED / site.task_managers)
    messages = batches * site.task_managers * reach * (c.message_us + c.crossing_us)
    return (messages + site.rate / site.task_managers * c.change_us) / 1e6


def feed_written(site: Site, c: Constants) -> float:
    """Megabytes/s that all item shards publish: each item's row at most five times per second, its
    pairs at most once, and in total at most `bound`."""
    rows = min(site.rate * c.rows, 5.0 * site.items) * changed_row(site.dimensions)
    pairs = min(site.rate * c.pair_rows, site.items) * pairs_row(site.neighbours)
    return min(rows / MB, site.bound / 2) + min(pairs / MB, site.bound / 2)


def pause(site: Site, c: Constants) -> float:
    """Seconds between two batches of one user learner: about the delay of lists."""
    return 1 / batches(site, c)


def lag(site: Site, c: Constants) -> float:
    """Seconds until a changed pair of items is known to all user learners."""
    wanted = min(site.rate * c.pair_rows, site.items) * pairs_row(site.neighbours) / MB
    return max(1.0, wanted / (site.bound / 2))


def snapshot(site: Site) -> float:
    """Bytes of the snapshots of all item shards: each item's row and its full row of pairs."""
    return site.items * (item_row(site.dimensions) + pairs_row(site.neighbours))


def start(site: Site, c: Constants) -> float:
    """Seconds until all replicas have loaded the snapshots: each reads all, from one Redis with
    1 GB/s."""
    size = snapshot(site)
    return max(size * site.task_managers / 1e9, size / 1000 * c.read_us / 1e6)


def needs(site: Site, c: Constants) -> dict[str, Need]:
    """The site's needs by resource."""
    t, each = site.task_managers, site.rate / site.task_managers
    written = feed_written(site, c)
    feed_in = written * 1000 * c.read_us / 1e6
    lists, n = site.users * c.list_bytes, batches(site, c)
    return {
        "items in each TaskManager": Need(site.items * item_replica(site) / GIB, "GiB", 16),
        "users' state, each": Need(site.users * user_state(site) / t / GIB, "GiB", 200),
        "user learner, each": Need(user_load(site, c, n), "cores", 1),
        "item learner, each": Need(item_load(site, c, n), "cores", 1),
        "parsing, each": Need(each * c.parse_us / 1e6, "cores", 1),
        "reading the feed, each": Need(feed_in, "cores", 1),
        "these four, which share an interpreter": Need(python_load(site, c, n), "cores", 1),
        "Kafka": Need(site.rate * c.line_bytes / MB, "MB/s", 100),
        "shuffles, each": Need(each * c.shuffled_bytes / MB, "MB/s", 1000),
        "Redis, lists": Need(lists / GIB, "GiB", 64),
        "Redis, snapshots of the feed": Need(snapshot(site) / GIB, "GiB", 64),
        "Redis, log of the feed": Need(30 * written / 1000, "GB", 64),
        "Redis, CPU": Need(site.rate * c.redis_us / 1e6, "cores", 1),
        "Redis, feed written": Need(written, "MB/s", 1000),
        "Redis, feed read by all": Need(written * t, "MB/s", 1000),
    }


SITES = [Site(task_managers=n, rate=3_000.0 * n) for n in (8, 64, 512)]
"""With the defaults."""
TUNED = [msgspec.structs.replace(site, train=10, neighbours=20, consumers=10) for site in SITES]
"""With smaller rows of items, and a ranker that learns from ten events a second."""


def main() -> None:
    """Print the needs of `SITES` and of `TUNED`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scaling", description=__doc__)
    parser.add_argument("--batches", type=Path, help="what benchmarks.batches has printed")
    parser.add_argument("--feed", type=Path, help="what benchmarks.feed has printed")
    options = parser.parse_args()
    constants = measured(options.batches, options.feed)
    print(constants)
    load = "100,000,000 users, 10,000,000 items, 3,000 events/s per TaskManager"
    show(f"{load}: defaults", SITES, constants)
    tuned = "ranker.train_per_s = 10, neighbours = 20, consumers = 10"
    show(f"the same: {tuned}", TUNED, constants)


def show(title: str, sites: list[Site], constants: Constants) -> None:
    """Print a row for each need, a column for each site; needs that cannot be met have a !."""
    table = Table(title=title)
    table.add_column("")
    for site in sites:
        table.add_column(f"{site.task_managers} TaskManagers", justify="right")
    table.add_column("one provides", justify="right")
    found = [needs(site, constants) for site in sites]
    for name, first in found[0].items():
        amounts = [row[name] for row in found]
        shown = [f"{n.amount:,.3g}" + (" !" if n.share > 1 else "") for n in amounts]
        table.add_row(name, *shown, f"{first.gives:g} {first.unit}")
    times = ("a batch every", pause), ("pairs reach all after", lag), ("a start takes", start)
    for name, seconds in times:
        table.add_row(name, *(f"{seconds(site, constants):,.3g}" for site in sites), "s")
    Console(width=110).print(table)


if __name__ == "__main__":
    main()
