"""What the steps of re-ranking that depend on earlier lists give and take: exposure and no repeats.

In: MovieLens-100K, its ratings of 5 in order of time, u.item. Out: a table of each, and JSON in
benchmarks/out. Tests are those of `benchmarks.rerank_curves`.

Exposure: a group of items is chosen by the lists and events of the first half, such that it has .30
of what users took and .10 of what lists of 20 showed, each place k counting 1 / log2(k + 1). From
the second half's beginning on a rule asks for a share for it; the figures are of that half, and of
its last half. No repeats: as MovieLens has no impressions, each test is one look at the first ten
of the list. `repeated` is the share of these that the user had seen `OFTEN` times before.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from rich.console import Console

from benchmarks.evaluate import recorded
from benchmarks.machine import machine
from benchmarks.rerank_curves import (
    LENGTH,
    TOP,
    Ratings,
    by_slot,
    facts,
    learner_of,
    passed,
    read,
    rerank,
    table,
)
from flink_app.evaluate.beyond import measures
from flink_app.evaluate.replay import Replay
from udfs.learning.learner import Learner
from udfs.options.learning import Lists
from udfs.options.rerank import Rerank
from udfs.options.rules import Rule
from udfs.ranking.steps.rerank import Reranking

SHARES = (0.15, 0.2, 0.25, 0.27, 0.3)
REPEATS = (1, 2, 3, 5)
OFTEN = 3
_RELEVANCE, _EXPOSURE = 0.30, 0.10
_WEIGHTS = 1.0 / np.log2(np.arange(LENGTH) + 2.0)


def group(data: Ratings, items: Path) -> list[str]:
    """The items of the group: of all, ordered by exposure for each event, a stretch."""
    half = len(data.users) // 2
    first = data._replace(users=data.users[:half], items=data.items[:half], ts=data.ts[:half])
    learner = learner_of(items)
    lists = passed(first, learner, {"none": rerank(learner, Rerank(order=[]))}).lists["none"]
    size = learner.catalogue.size
    shown = np.zeros(size)
    np.add.at(shown, lists[lists >= 0], np.broadcast_to(_WEIGHTS, lists.shape)[lists >= 0])
    taken = np.bincount(learner.catalogue.find(first.items), minlength=size).astype(float)
    shown, taken = shown / shown.sum(), taken / taken.sum()
    known = np.flatnonzero(taken)
    order = known[np.argsort(shown[known] / taken[known], kind="stable")]
    # The first stretch that has the relevance and, at least, the exposure.
    for begin in range(len(order)):
        end = begin + int(np.searchsorted(np.cumsum(taken[order[begin:]]), _RELEVANCE)) + 1
        chosen = order[begin:end]
        if shown[chosen].sum() >= _EXPOSURE:
            break
    return learner.catalogue.names(chosen.tolist())


def exposed(lists: NDArray[np.int32], meant: NDArray[np.bool_]) -> float:
    """The exposure of items in lists, int32[t, LENGTH]; meant: bool[I]."""
    there = lists >= 0
    whole = np.broadcast_to(_WEIGHTS, lists.shape) * there
    return float((whole * (meant[lists] & there)).sum() / whole.sum())


def with_rule(learner: Learner, when: str, share: float) -> Reranking:
    """Re-ranking by one rule; no rule, if it asks for nothing."""
    rules = [Rule(when=when, exposure=share)] if share else []
    settings = replace(learner.settings, lists=Lists(length=LENGTH), rules=rules)
    return Reranking(settings, learner.models.shop, learner.models.content, LENGTH)


def measure_exposure(data: Ratings, items: Path) -> dict[str, dict[str, float]]:
    """The rows of all shares."""
    names = group(data, items)
    when = f"item in {json.dumps(names)}"
    learner = learner_of(items, rules=[Rule(when=when, exposure=SHARES[0])])
    steps = {f"exposure {share}": with_rule(learner, when, share) for share in (0.0, *SHARES)}
    half = len(data.users) // 2
    replayed = passed(data, learner, steps, half)
    meant = np.zeros(learner.catalogue.size, np.bool_)
    meant[learner.catalogue.find(names)] = True
    of, found = facts(replayed, by_slot(learner, data.genres)), {}
    for name, lists in replayed.lists.items():
        found[name] = {
            **measures(lists, of),
            "exposure": exposed(lists, meant),
            "of the last half": exposed(lists[len(lists) // 2 :], meant),
            "theta": float(steps[name].exposure.parameters.sum()),
        }
    relevance = np.isin(data.items[half:], names).mean()
    print(f"{len(names)} items, {relevance:.3f} of the events of the second half")
    return found


def repeated(replayed: Replay, name: str) -> float:
    """The share of the first ten that the user had seen `OFTEN` times before."""
    seen, often = dict[tuple[int, int], int](), 0
    tops = replayed.lists[name][:, :TOP].tolist()
    for user, top in zip(replayed.by.tolist(), tops, strict=True):
        for item in top:
            count = seen.get((user, item), 0)
            often += count >= OFTEN
            seen[user, item] = count + 1
    return often / (len(tops) * TOP)


def measure_repeats(data: Ratings, items: Path) -> dict[str, dict[str, float]]:
    """The rows of all numbers of impressions."""
    learner = learner_of(items)
    settings = {"none": Rerank(order=[])} | {f"repeats {n}": Rerank(repeats=n) for n in REPEATS}
    steps = {name: rerank(learner, some) for name, some in settings.items()}
    replayed = passed(data, learner, steps)
    of = facts(replayed, by_slot(learner, data.genres))
    return {
        name: {**measures(replayed.lists[name], of), "repeated": repeated(replayed, name)}
        for name in settings
    }


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="MovieLens-100K's folder")
    parser.add_argument("--events", type=int, help="so many of the first; all by default")
    parser.add_argument("--only", choices=["exposure", "repeats"])
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/rerank_stream.json"))
    options = parser.parse_args()
    folder = recorded(options.data).parent
    data, items = read(folder, options.events), folder / "u.item"
    made: dict[str, Any] = {"exposure": measure_exposure, "repeats": measure_repeats}
    rows = {}
    for name in [options.only] if options.only else made:
        rows[name] = made[name](data, items)
        Console(width=180).print(table(rows[name].items()))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), **rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
