"""`python -m benchmarks.published`: what `privacy.min_users` costs the list for everybody.

In: MovieLens-100K; the simulated shop. Out: a line of JSON for each: recall@10 of `popular` for the
first events of users, before these are learned, and how many items it may show in the end, by
`privacy.min_users`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import crowd
from udfs.events.batch import EventBatch

LEAST = 0, 2, 5, 10
TOP = 10
_NOBODY = np.array([-1], np.int32)


class Run(crowd.Run):
    """A learner whose `popular` is tested for several `privacy.min_users` at once.

    Attributes:
        users: who took anything. tests: first events of users. hits: of them, by `LEAST`.
    """

    def __init__(self, preset: str = "", positive: str = "") -> None:
        given = "privacy.min_users=1", "lists.model=popular"  # so that users are counted
        super().__init__(guard=False, preset=preset, positive=positive, given=given)
        self.tests, self.hits = 0, dict.fromkeys(LEAST, 0)

    def learn(self, lines: Sequence[bytes], size: int = crowd.BATCH) -> None:
        """Test and learn lines, so many at a time."""
        for batch in self.batches(lines, size):
            self._test(batch)
            self.take(batch, 1)

    def _test(self, batch: EventBatch) -> None:
        taken = []
        for user, item, weight in zip(batch.users, batch.items, batch.weights, strict=True):
            if weight > 0 and user not in self.users:
                self.users.add(user)
                taken.append(item)
        wanted = self.learner.catalogue.find(taken)
        self.tests += len(taken)
        for least in LEAST if taken else ():
            found = np.isin(wanted, self.listed(least)[:TOP]) & (wanted >= 0)
            self.hits[least] += int(found.sum())

    def listed(self, least: int) -> Any:
        """What everybody gets if an item needs so many users: slots, int32[N]."""
        models, catalogue = self.learner.models, self.learner.catalogue
        shown = catalogue.shown
        catalogue.shown = shown & (catalogue.takers >= least)
        models.forget_popular()
        items = models.by_popularity(_NOBODY, 1)[0][0]
        catalogue.shown = shown
        models.forget_popular()
        return items


def measured(name: str, run: Run) -> dict[str, Any]:
    """The figures of a run."""
    takers = run.learner.catalogue.takers[run.learner.catalogue.alive]
    return {
        "case": name,
        "tests": run.tests,
        "recall@10": {least: round(hits / run.tests, 3) for least, hits in run.hits.items()},
        "items": {least: int((takers >= least).sum()) for least in LEAST},
    }


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder with ml-100k/u.data")
    parser.add_argument("--events", type=int, default=60_000, help="of the shop")
    options = parser.parse_args()
    if options.data:
        lines = crowd.movielens_lines(options.data)
        for positive in ("rating>=4.5", ""):
            run = Run("movielens", positive)
            run.learn(lines, 16)
            name = f"MovieLens {positive or 'all ratings'}"
            print(json.dumps(measured(name, run)), flush=True)
    run = Run()
    run.learn(crowd.shop_lines(crowd.SHOPS["quiet"], options.events), 64)
    print(json.dumps(measured("quiet shop", run)), flush=True)


if __name__ == "__main__":
    main()
