"""`python -m benchmarks.attribution`: what attribution is worth, in a shop whose truth is known.

In: options. Out: a table, and JSON in benchmarks/out. A page shows the whole list and tells so:
each of its items is an impression. The user reads it from the top as in `truth.first_click`, so
that the places differ in how likely they are looked at, which the simulator knows and the job does
not. `clicks per list` is the mean of the lists' expected clicks, `truth.expected_clicks`, over the
second half of the blocks.
"""

from __future__ import annotations

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine
from benchmarks.regret import world_of
from benchmarks.served import LENGTH, Stage, Trial, _encode, _Event
from flink_app.simulator.truth import (
    click_probability,
    expected_clicks,
    first_click,
    looked_at,
)
from udfs.accounts import Account
from udfs.attributed import examined, table
from udfs.events.batch import item_key
from udfs.learning.attribution import Attribution
from udfs.learning.noted import without_seen
from udfs.state.handles import MemoryRows

OUT = Path(__file__).parent / "out" / "attribution.json"
VARIANTS = {
    "off": (),
    "no repeats": ("rerank.repeats=3",),
    "no repeats from 1 on": ("rerank.repeats=1",),
}


class PageStage(Stage):
    """A world and a learner; what users see and click names its list.

    Attributes:
        looked: how often each place was looked at; lists: how many there were.
    """

    def __init__(self, trial: Trial, whole: bool = True) -> None:
        super().__init__(trial)
        self.whole = whole
        self.looked, self.clicks, self.lists = np.zeros(LENGTH), np.zeros(LENGTH), 0
        self.chances = np.zeros(LENGTH)
        self.shard: Any = SimpleNamespace(account=Account(), profiled=False)
        self._joins = Attribution(MemoryRows(), MemoryRows(), self.learner, 7.0)

    def _show(
        self, block: int, users: NDArray[np.int64], truth: NDArray[np.float32]
    ) -> list[_Event]:
        learner, now = self.learner, int(self._now)
        names = [f"u{user}" for user in users.tolist()]
        found = learner.users.locate(names, self._rows, self._history, learner.catalogue)
        self._people.tell(found)
        updates = learner.user_lists(np.array([found[name] for name in names], np.int32), now)
        self._joins.written(updates, now)
        made = {one.name: one for some in updates for one in some}
        events: list[_Event] = []
        for row, name in enumerate(names):
            shown = np.array([int(item[1:]) for item in made[name].items], np.int64)
            chances = click_probability(truth[row, shown])
            self._rows_shown.append((block, float(expected_clicks(chances)), [0.0]))
            self._wanted.append((block, 0, False))
            draws = self._random.random((2, len(shown)))
            clicked = first_click(chances, draws)
            self._count(clicked, looked_at(clicked, draws), chances)
            at = {"rec": made[name].id}
            looked = looked_at(clicked, draws) + (clicked is not None)
            seen = shown if self.whole else shown[:looked]
            events += [_Event(name, "impression", f"i{item}", **at) for item in seen.tolist()]
            if clicked is not None:
                events.append(_Event(name, "click", f"i{shown[clicked]}", **at))
        return events

    def _count(self, clicked: int | None, looked: int, chances: NDArray[np.float64]) -> None:
        self.lists += 1
        self.looked[: looked + (clicked is not None)] += 1.0
        self.chances[: len(chances)] += chances
        if clicked is not None:
            self.clicks[clicked] += 1.0

    def _learn(self, events: list[_Event]) -> None:
        for event in events:
            if event.type != "impression" and event.item:
                self._seen[int(event.user[1:]), int(event.item[1:])] = True
        if not events:
            return
        times = self._now + np.cumsum(self.world.gaps(len(events)))
        self._now = now = int(times[-1])
        pairs = zip(events, times.astype(int).tolist(), strict=True)
        lines = [_encode(msgspec.structs.replace(one, ts=ts)).decode() for one, ts in pairs]
        batch = self._decoder.decode(lines, now).batch(now)
        self._joins.take(self.shard, batch)
        learner, steps = self.learner, self.learner.models.steps
        batch = without_seen(batch, steps, self.shard.account, self._saw)
        learner.learn(batch, self._rows, self._history, self._learned, now)
        learner.messages(now)
        self._learned += len(batch)

    def _saw(self, told: Any) -> None:
        users = self.learner.users
        found = users.locate(told.users, self._rows, self._history, self.learner.catalogue)
        slots = np.fromiter(map(found.__getitem__, told.users), np.int32, len(told))
        keys = np.fromiter(map(item_key, told.items), np.uint64, len(told))
        self.learner.models.steps.rerank.repeats.see(slots, keys, told.ts)


def measured(job: tuple[str, Trial]) -> dict[str, Any]:
    """One trial."""
    name, trial = job
    stage = PageStage(trial)
    shown = stage.run()
    late = shown.blocks >= trial.blocks // 2
    places = table(stage.shard.account.attribution, "position")
    told = examined(places)
    return {
        "variant": name,
        "seed": trial.world.seed,
        "clicks": float(shown.served[late].mean()),
        "lists": stage.lists,
        "told": [told.get(str(place + 1)) for place in range(LENGTH)],
        "true": (stage.looked / stage.lists).tolist(),
        "by truth": (stage.clicks / np.maximum(stage.chances, 1e-9)).tolist(),
    }


def main() -> None:
    """Measure all variants."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--variants", nargs="*", default=[*VARIANTS])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    own = ("quality.attribution_days=7",)
    jobs = [
        (name, Trial(world=world_of("shop", seed), settings=own + VARIANTS[name],
                     blocks=options.blocks))
        for name in options.variants for seed in range(options.seeds)
    ]  # fmt: skip
    with ProcessPoolExecutor(options.processes) as pool:
        runs = list(pool.map(measured, jobs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "runs": runs}, indent=2) + "\n")
    report(runs)


def report(runs: list[dict[str, Any]]) -> None:
    """Print clicks per list of each variant, paired with the first, and what is told of places."""
    clicks = {name: np.array([run["clicks"] for run in runs if run["variant"] == name])
              for name in dict.fromkeys(run["variant"] for run in runs)}  # fmt: skip
    first = next(iter(clicks.values()))
    shown = Table("variant", "clicks per list", "against the first", "95 % interval")
    for name, found in clicks.items():
        gain = found / first - 1.0
        half = interval(gain)
        ends = f"{100 * (gain.mean() - half):+.1f} to {100 * (gain.mean() + half):+.1f} %"
        shown.add_row(name, f"{found.mean():.4f}", f"{100 * gain.mean():+.1f} %", ends)
    Console().print(shown)
    places = Table("place", "looked at", "by the truth", "told", "seeds that tell it")
    for place in range(LENGTH):
        told = [run["told"][place] for run in runs if run["told"][place] is not None]
        true = np.mean([run["true"][place] / run["true"][0] for run in runs])
        by = np.mean([run["by truth"][place] / max(run["by truth"][0], 1e-9) for run in runs])
        mean = f"{np.mean(told):.2f}" if told else ""
        places.add_row(str(place + 1), f"{true:.2f}", f"{by:.2f}", mean, str(len(told)))
    Console().print(places)


def interval(values: NDArray[np.float64]) -> float:
    """Half of the 95 % interval of a mean, by Student's t."""
    n = len(values)
    if n < 2:
        return float("nan")
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
    return float(t.get(n, 2.1) * values.std(ddof=1) / np.sqrt(n))


if __name__ == "__main__":
    main()
