"""`python -m benchmarks.epsilon --data FOLDER`: what `privacy.epsilon` costs `popular`.

In: MovieLens, as if it came live: a day of its times is a day of the job. Out: lines of JSON:
recall@10 of `popular` for the first events of users, by ε, by how many items of a user count on a
day, and with more users; and how far one user moves what is counted for `similar:`.

It counts by itself what `udfs.learning.contributions` and `noisy_counts` count, for all ε at once.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.models.options import ItemCF
from udfs.models.popular.noise import laplace
from udfs.models.popular.noised import DECAY

EPSILONS = 0.1, 0.5, 1.0, 4.0, float("inf")
KEYS = 5
"""Noises of which the mean and the standard deviation are told."""
TOP = 10
_DAY_S = 86_400


class Taken(NamedTuple):
    """n events that like an item, in order: int64[n] three times, users, items and days; and the
    names of the items."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    days: NDArray[np.int64]
    names: list[str]


def taken(path: Path, copies: int = 1) -> Taken:
    """The ratings of 5 of a file of MovieLens.

    Args:
        copies: how many users stand for each one, all of whom do the same.
    """
    rows = (re.split(r"\t|::", line) for line in path.read_text("latin-1").splitlines())
    found = [(int(r[3]), r[0], r[1]) for r in rows if len(r) == 4 and r[2] == "5"]
    found.sort(key=lambda row: row[0])
    users = {name: k for k, name in enumerate(sorted({user for _, user, _ in found}))}
    items = {name: k for k, name in enumerate(sorted({item for _, _, item in found}))}
    one = np.array([(users[u], items[i], at // _DAY_S) for at, u, i in found], np.int64)
    events = np.repeat(one, copies, axis=0)
    events[:, 0] = events[:, 0] * copies + np.tile(np.arange(copies), len(one))
    return Taken(events[:, 0], events[:, 1], events[:, 2], [*items])


def counted(events: Taken, most: int) -> dict[int, NDArray[np.int64]]:
    """The counts of each day, int64[I], where `most` items of a user count on it."""
    counts: dict[int, NDArray[np.int64]] = defaultdict(
        lambda: np.zeros(len(events.names), np.int64)
    )
    own: dict[int, tuple[int, set[int]]] = {}
    for user, item, day in zip(*(part.tolist() for part in events[:3]), strict=True):
        at, items = own.get(user, (-1, set()))
        if at != day:
            at, items = own[user] = day, set()
        if len(items) < most and item not in items:
            items.add(item)
            counts[day][item] += 1
    return counts


def recall(events: Taken, most: int, epsilon: float, decay: float = DECAY[0]) -> list[float]:
    """recall@10 of `popular` for the first event of each user; for each key of the noise."""
    counts, first = counted(events, most), np.unique(events.users, return_index=True)[1]
    tests: dict[int, list[int]] = defaultdict(list)
    for row in first.tolist():
        tests[int(events.days[row])].append(int(events.items[row]))
    nothing, found = np.zeros(len(events.names), np.int64), []
    for key in range(KEYS if np.isfinite(epsilon) else 1):
        sums, hits = np.zeros(len(events.names)), 0
        for day in range(int(events.days[0]), int(events.days[-1]) + 1):
            best = np.argsort(-sums, kind="stable")[:TOP]
            hits += int(np.isin(tests.get(day, []), best[sums[best] > 0]).sum())
            sums = sums * decay + counts.get(day, nothing)
            if np.isfinite(epsilon):
                sums += laplace(bytes([key]), events.names, day, most / epsilon)
        found.append(hits / len(first))
    return found


def costs(name: str, events: Taken, sizes: Sequence[int]) -> Iterator[dict[str, Any]]:
    """The table of a data set: a row for each number of items that count."""
    users, days = len(np.unique(events.users)), int(events.days[-1] - events.days[0]) + 1
    for most in sizes:
        row = {}
        for epsilon in EPSILONS:
            values = recall(events, most, epsilon)
            row[str(epsilon)] = [round(float(f(values)), 3) for f in (np.mean, np.std)]
        yield {"case": name, "users": users, "days": days, "k": most, "recall@10": row}


def sensitivity(name: str, events: Taken) -> dict[str, Any]:
    """How far one user moves the pairs of `similar:`, in L1, and how large these counts are."""
    window = ItemCF().window
    histories: dict[int, list[int]] = defaultdict(list)
    for user, item in zip(events.users.tolist(), events.items.tolist(), strict=True):
        histories[user].append(item)
    pairs: dict[tuple[int, int], int] = defaultdict(int)
    moved = []
    for items in histories.values():
        own = [(a, b) for k, b in enumerate(items) for a in items[max(k - window, 0) : k]]
        moved.append(2 * len(own))
        for a, b in own:
            pairs[a, b] += 1
            pairs[b, a] += 1
    tenth = []
    by_item: dict[int, list[int]] = defaultdict(list)
    for (a, _), n in pairs.items():
        by_item[a].append(n)
    for counts in by_item.values():
        tenth.append(sorted(counts, reverse=True)[min(TOP, len(counts)) - 1])
    return {
        "case": f"{name}, pairs within {window}",
        "one user moves, median and most": [int(np.median(moved)), max(moved)],
        "the tenth neighbour's count, median and most": [int(np.median(tenth)), max(tenth)],
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="a folder with ml-100k/u.data")
    folder = parser.parse_args().data
    path = folder / "ml-100k" / "u.data"
    for copies, sizes in ((1, (1, 3, 10)), (10, (1, 3)), (100, (1,))):
        name = f"MovieLens-100K, ratings of 5, each user {copies} times"
        for found in costs(name, taken(path, copies), sizes):
            print(json.dumps(found), flush=True)
    print(json.dumps(sensitivity("MovieLens-100K, ratings of 5", taken(path))), flush=True)


if __name__ == "__main__":
    main()
