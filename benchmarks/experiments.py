"""`python -m benchmarks.experiments`: what experiments find where the truth is known.

In: options. Out: a table, and JSON in benchmarks/out. Users of a simulated shop are served lists by
the job's learner, which joins what they do to these, and counts it by user in an experiment where
users of the second variant click 5 % more often: of the others, a click is left out with
probability 1 − 1/1.05. The same users are in 200 experiments without any difference, each with
others in its two variants, whose sums are made from what the users did; those of the first
experiment are held against what the learner counted. After each block, what writes `stats` decides.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from benchmarks.attribution import PageStage
from benchmarks.machine import machine
from benchmarks.regret import world_of
from benchmarks.served import Trial
from udfs.experiments import results
from udfs.experiments.assignment import Assignment
from udfs.experiments.sequential import ALPHA
from udfs.options.experiments import Experiment, Variant

OUT = Path(__file__).parent / "out" / "experiments.json"
CONTROL, OTHER = "now", "other"
LIFT = 0.05


def experiment(name: str) -> Experiment:
    """One of two variants, of which each has half of the users."""
    return Experiment(name=name, variants=[Variant(name=CONTROL), Variant(name=OTHER)])


TRUE = experiment("true-lift")


class TestStage(PageStage):
    """A shop with experiments.

    Attributes:
        decided: after which block each experiment was decided, by name; those that are not, are
            not in it.
    """

    def __init__(self, trial: Trial, same: int) -> None:
        super().__init__(trial, [TRUE])
        self.decided: dict[str, int] = {}
        self._all = [TRUE, *(experiment(f"same-{n}") for n in range(same))]
        self._second = np.zeros((1 + same, 0), np.bool_)
        self._views, self._clicks = np.zeros(0), np.zeros(0)
        self._assign()

    def _assign(self) -> None:
        """Find out which variants users who are new are in."""
        users = range(len(self._views), self.world.users)
        of = [Assignment(one).of for one in self._all]
        new = np.array([[one(f"u{user}") == 1 for user in users] for one in of], np.bool_)
        self._second = np.concatenate([self._second, new], axis=1)
        self._views, self._clicks = (
            np.pad(array, (0, len(users))) for array in (self._views, self._clicks)
        )

    def _keep(self, user: int, length: int, clicked: int | None) -> int | None:
        lost = 0.0 if self._second[0, user] else 1.0 - 1.0 / (1.0 + LIFT)
        clicked = None if self._random.random() < lost else clicked
        self._views[user] += length
        self._clicks[user] += clicked is not None
        return clicked

    def _grow(self) -> None:
        super()._grow()
        self._assign()

    def _play(self, block: int) -> None:
        super()._play(block)
        found = self.sums(range(len(self._all)))
        self.decided = results.decide(found, self._all, self.decided, block + 1)

    def sums(self, rows: Iterable[int]) -> dict[str, float]:
        """The sums of some of the experiments."""
        x, y, there = self._views, self._clicks, self._views > 0
        found = dict[str, float]()
        for row in rows:
            second = self._second[row]
            for name, group in ((CONTROL, ~second), (OTHER, second)):
                a, b = x[group], y[group]
                measures = {"users": there[group].sum(), "views": a.sum(), "clicks": b.sum()}
                products = {"views*views": a @ a, "views*clicks": a @ b, "clicks*clicks": b @ b}
                for measure, value in (measures | products).items():
                    found[results.key(self._all[row].name, name, measure)] = float(value)
        return found


def measured(job: tuple[Trial, int]) -> dict[str, Any]:
    """One run."""
    trial, same = job
    stage = TestStage(trial, same)
    stage.run()
    sums, other = stage.shard.account.experiments, f"{TRUE.name}:{OTHER}"
    for name, wanted in stage.sums([0]).items():
        if sums.get(name, 0.0) != wanted:
            raise SystemExit(f"{name} was counted as {sums.get(name)}, but users did {wanted}")
    [(_, found)] = results.lifts(sums, TRUE, TRUE.goal)
    wrong = [name for name in stage.decided if name.startswith("same-")]
    counted = {one: sums.get(f"{other}:{one}", 0.0) for one in ("users", "lists", "clicks")}
    return {
        "seed": trial.world.seed,
        "same": same,
        "wrong": sum(name.endswith(OTHER) for name in wrong),
        "mismatches": sum(name.endswith(results.MISMATCH) for name in wrong),
        "decided": stage.decided.get(other),
        "lift": [found.low, found.lift, found.high],
        **counted,
    }


def main() -> None:
    """Run all seeds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--users", type=int, default=8000)
    parser.add_argument("--same", type=int, default=200, help="experiments without a difference")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    jobs = [(_trial(seed, options), options.same) for seed in range(options.seeds)]
    with ProcessPoolExecutor(options.processes) as pool:
        runs = list(pool.map(measured, jobs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "runs": runs}, indent=2) + "\n")
    report(runs)


def _trial(seed: int, options: argparse.Namespace) -> Trial:
    world = replace(world_of("shop", seed), users=options.users, session_views=1.2)
    return Trial(world=world, settings=("quality.attribution_days=7",), blocks=options.blocks)


def report(runs: list[dict[str, Any]]) -> None:
    """Print a row for each run."""
    columns = ("seed", "without a difference", "of these decided", "sizes do not fit",
               f"true lift {LIFT:.0%}: found", "interval", "decided after block",
               "users, lists, clicks of the variant")  # fmt: skip
    table = Table(*columns, title=f"at most {ALPHA:.0%} may ever be decided wrongly")
    for run in runs:
        low, lift, high = run["lift"]
        table.add_row(
            str(run["seed"]), str(run["same"]), str(run["wrong"]), str(run["mismatches"]),
            f"{lift:+.1%}", f"{low:+.1%} to {high:+.1%}", str(run["decided"] or "never"),
            f"{run['users']:.0f}, {run['lists']:.0f}, {run['clicks']:.0f}",
        )  # fmt: skip
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
