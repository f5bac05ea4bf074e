"""What it costs and gives that several ids are one person: `python -m benchmarks.identity`.

In: the parts to measure. Out: a summary, and one JSON line.

    speed   a file of events with 1 % links through a job that resolves them, and the events alone
            through one that does not, by turns: the ratio of the events/s of each pair
    log-in  at 5,000 events/s, 1 % links: from writing a link until the list is there
    recall  MovieLens-100K, ratings of 5, each user with two ids that are linked after half of the
            user's events: recall@10 after the link, against one id, and two that are never linked
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console

from benchmarks.load import EXPONENT, ITEMS, USERS
from benchmarks.measured import measured
from benchmarks.throughput import throughput
from flink_app.config import load
from flink_app.local.redis_server import RedisServer
from flink_app.simulator import zipf_events
from udfs.events.batch import make_batch
from udfs.events.joined import item_keys
from udfs.learning.learner import Learner
from udfs.learning.past import Events, Past
from udfs.learning.quality import Quality
from udfs.state.handles import MemoryRows

PARTS = ("speed", "log-in", "recall")
_EACH = 100  # one line in this number is a link


def linking(events: Sequence[bytes]) -> Iterator[bytes]:
    """The events with a link after each 99: a visitor, who took the last three of them, is one of
    the users before, each as likely as any other."""
    chosen, met = random.Random(1), dict[str, None]()
    for begin in range(0, len(events) - _EACH + 2, _EACH - 1):
        part, visitor = list(map(json.loads, events[begin : begin + _EACH - 1])), f"visitor-{begin}"
        met |= dict.fromkeys(event["user"] for event in part[:3])
        for event in part[-3:]:
            event["user"] = visitor
        yield from map(str.encode, map(json.dumps, part))
        account = chosen.choice([*met])
        yield json.dumps({"kind": "link", "user": visitor, "to": account}).encode()


def speed(url: str, events: int, pairs: int) -> dict[str, Any]:
    """Events/s with links and without identity, by turns."""
    rows = []
    with tempfile.TemporaryDirectory() as name:
        plain, linked = Path(name) / "plain", Path(name) / "linked"
        lines = [*linking(b"".join(zipf_events(events, USERS, ITEMS, EXPONENT)).splitlines())]
        plain.write_bytes(b"\n".join([*(one for one in lines if b'"link"' not in one), b""]))
        linked.write_bytes(b"\n".join([*lines, b""]))
        for pair in range(pairs):
            turns = [(linked, ("identity.enabled=true",)), (plain, ())]
            found = [
                throughput("millirec", path, url, *given)["events_per_s"]
                for path, given in (turns if pair % 2 else turns[::-1])
            ]
            with_links, without = found if pair % 2 else found[::-1]
            rows.append({"resolved": with_links, "plain": without})
            print(f"speed: {rows[-1]}", file=sys.stderr)
    ratios = [round(row["resolved"] / row["plain"], 3) for row in rows]
    return {"events_per_s": rows, "ratios": ratios, "median": statistics.median(ratios)}


class Rated(NamedTuple):
    """The ratings of 5, by time: users and items."""

    users: list[str]
    items: list[str]
    ts: list[int]


def rated(file: Path) -> Rated:
    """MovieLens-100K's ratings of 5."""
    rows = [line.split("\t") for line in file.read_text().splitlines()]
    rows = sorted((row for row in rows if row[2] == "5"), key=lambda row: int(row[3]))
    return Rated([r[0] for r in rows], [r[1] for r in rows], [int(r[3]) * 1000 for r in rows])


class _Trial:
    """A learner alone, which is told of its users' ids as in a job.

    Args:
        ids: which id each event comes by. linked: whether the two ids of a user are linked.
    """

    def __init__(self, data: Rated, ids: Sequence[str], linked: bool) -> None:
        settings = load(None, ["quality.every=1", "job.strict=true"], {}).config.settings
        self.learner, self.rows, self.history = Learner(settings), MemoryRows(), MemoryRows()
        self._past, self._quality = Past(self.learner), Quality(1)
        self._data, self._ids, self._linked = data, ids, linked
        self._place: dict[str, str] = {}
        self._done: dict[str, list[int]] = {}

    def run(self, links: dict[int, str], tested: Sequence[bool]) -> float:
        """Recall@10 of the tested events.

        Args:
            links: the users to link before an event, by its number.
        """
        hits = tests = 0.0
        for n in range(len(self._ids)):
            if self._linked and n in links:
                self._link(links[n], n)
            name = self._place.get(self._ids[n], self._ids[n])
            self._done.setdefault(name, []).append(n)
            batch = self._batch(n, name)
            own = self.rows, self.history, n, self._data.ts[n]
            if tested[n]:
                found, _ = self._quality.test(self.learner, batch, *own)
                tests += found.get("served:tests", 0.0)
                hits += found.get("served:recall@10", 0.0)
            self.learner.learn(batch, *own)
            self.learner.messages(self._data.ts[n])
        return hits / max(tests, 1.0)

    def _batch(self, n: int, name: str) -> Any:
        d, one = self._data, np.ones(1)
        return make_batch([name], [d.items[n]], one, one, np.array([d.ts[n]]), [""], d.ts[n])

    def _link(self, user: str, seed: int) -> None:
        """What `join_step` does: the id with fewer events comes to the one with more."""
        a, b = sorted((f"{user}/a", f"{user}/b"), key=lambda id_: -len(self._done.get(id_, ())))
        mine, theirs = self._done.get(a, []), self._done.pop(b, [])
        self._place[b] = a
        self._done[a] = whole = sorted([*mine, *theirs])
        users = self.learner.users
        slot = users.locate([a], self.rows, self.history, self.learner.catalogue)[a]
        one, new = np.ones(len(whole), np.float32), {*theirs}
        items = [self._data.items[n] for n in whole]
        rows = np.array(item_keys(items, {}, 0), np.uint64)
        fresh = np.array([n in new for n in whole], np.bool_)
        told = Events(rows, one, one, one.astype(np.uint8), fresh)
        self._past.tell(slot, told, rows[:0], self.history, seed, np.zeros(2))
        users.events[slot] += len(theirs)
        users.pack(np.array([slot], np.int32), self.learner.catalogue)
        users.write(np.array([slot], np.int32), self.rows)


def recall(file: Path) -> dict[str, Any]:
    """Recall@10 after the link: of one id, of two that are linked, of two that are not."""
    data, chosen = rated(file), random.Random(1)
    places: dict[str, list[int]] = {}
    for n, user in enumerate(data.users):
        places.setdefault(user, []).append(n)
    links = {at[len(at) // 2]: user for user, at in places.items() if len(at) >= 4}
    begun, tested, ids = set[str](), [], []
    for n, user in enumerate(data.users):
        begun |= {links[n]} if n in links else set()
        tested.append(user in begun)
        ids.append(f"{user}/{chosen.choice('ab')}")
    whole = [f"{user}/a" for user in data.users]
    return {
        "tests": sum(tested),
        "one id": round(_Trial(data, whole, False).run({}, tested), 4),
        "two, linked": round(_Trial(data, ids, True).run(links, tested), 4),
        "two, never linked": round(_Trial(data, ids, False).run({}, tested), 4),
    }


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--events", type=int, default=300_000, help="of part speed")
    parser.add_argument("--pairs", type=int, default=3, help="of part speed")
    parser.add_argument("--count", type=int, default=200, help="of part log-in")
    parser.add_argument("--rate", type=float, default=5_000, help="of part log-in, events/s")
    parser.add_argument("--data", type=Path, default=Path("data/ml-100k/u.data"))
    options = parser.parse_args()
    figures: dict[str, Any] = {}
    with RedisServer() as server:
        if "speed" in options.only:
            figures["speed"] = speed(server.url, options.events, options.pairs)
        if "log-in" in options.only:
            given = json.dumps({"count": options.count, "rate": options.rate})
            figures["log-in"] = measured("benchmarks.identity_live", server.url, given)
    if "recall" in options.only:
        figures["recall"] = recall(options.data)
    for part, found in figures.items():
        Console(stderr=True).print(f"[bold]{part}[/]: {found}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
