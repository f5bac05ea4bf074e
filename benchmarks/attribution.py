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
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import t

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
from udfs.attributed import CLICKS, DRAWN, PLACES, VIEWS, examined, tables
from udfs.events.batch import item_key
from udfs.learning.attribution import Attribution
from udfs.learning.experiments import Experiments
from udfs.learning.joining import Joining
from udfs.learning.noted import without_seen
from udfs.options.experiments import Experiment
from udfs.state.handles import MemoryRows

OUT = Path(__file__).parent / "out" / "attribution.json"
KNOWN = 0.848
"""How likely, from place to place, these users look on; what a long run would come to know."""
VARIANTS = {
    "off": (),
    "no repeats": ("rerank.repeats=3",),
    "position bias": ("ranker.position_bias=true",),
    "both": ("rerank.repeats=3", "ranker.position_bias=true"),
    "both, places known": ("rerank.repeats=3", "ranker.position_bias=true"),
}


class PageStage(Stage):
    """A world and a learner; what users see and click names its list.

    Attributes:
        looked: how often each place was looked at. lists: how many there were.
    """

    def __init__(self, trial: Trial, experiments: Sequence[Experiment] = ()) -> None:
        super().__init__(trial)
        self.looked, self.lists = np.zeros(LENGTH), 0
        self.shard: Any = SimpleNamespace(account=Account(), profiled=False)
        counts = Experiments(MemoryRows(), experiments) if experiments else None
        self._joins = Attribution(MemoryRows(), MemoryRows(), self.learner, 7.0, counts)

    def _show(
        self, block: int, users: NDArray[np.int64], truth: NDArray[np.float32]
    ) -> list[_Event]:
        learner, now = self.learner, int(self._now)
        names = [f"u{user}" for user in users.tolist()]
        found = learner.users.locate(names, self._rows, self._history, learner.catalogue)
        self._people.tell(found)
        updates = learner.user_lists(np.array([found[name] for name in names], np.int32), now)
        self._joins.written(self.shard, updates, now)
        made = {one.name: one for some in updates for one in some}
        events: list[_Event] = []
        for row, (user, name) in enumerate(zip(users.tolist(), names, strict=True)):
            shown = np.array([int(item[1:]) for item in made[name].items], np.int64)
            chances = click_probability(truth[row, shown])
            self._rows_shown.append((block, float(expected_clicks(chances)), [0.0]))
            self._wanted.append((block, 0, False))
            draws = self._random.random((2, len(shown)))
            clicked = self._keep(user, len(shown), first_click(chances, draws))
            looked = looked_at(clicked, draws) + (clicked is not None)
            self.looked[:looked] += 1.0
            self.lists += 1
            rec = made[name].id
            events += [_Event(name, "impression", f"i{item}", rec=rec) for item in shown.tolist()]
            if clicked is not None:
                events.append(_Event(name, "click", f"i{shown[clicked]}", rec=rec))
        return events

    def _keep(self, user: int, length: int, clicked: int | None) -> int | None:
        """The place that a user clicks, given the one that a list of this length makes the user
        click."""
        return clicked

    def _learn(self, events: list[_Event]) -> None:
        for event in events:
            if event.type != "impression" and event.item:
                self._seen[int(event.user[1:]), int(event.item[1:])] = True
        if not events:
            return
        times = self._now + np.cumsum(self.world.gaps(len(events)))
        self._now = now = int(times[-1])
        pairs = zip(events, times.astype(int).tolist(), strict=True)
        lines = [_encode(replace(one, ts=ts)).decode() for one, ts in pairs]
        batch = self._decoder.decode(lines, now).batch(now)
        learner, steps = self.learner, self.learner.models.steps
        joining = Joining(self._joins, self.shard, batch)
        batch = joining.upto(without_seen(batch, steps, self.shard.account, self._saw))
        joining.rest()
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
    if name == "both, places known":
        clicks = 1e5 * KNOWN ** np.arange(PLACES)
        stage.learner.models.steps.examination.put(np.concatenate([np.full(PLACES, 1e6), clicks]))
    shown = stage.run()
    late = shown.blocks >= trial.blocks // 2
    found = tables(stage.shard.account.attribution)
    drawn = found[DRAWN]
    return {
        "variant": name,
        "seed": trial.world.seed,
        "clicks": float(shown.served[late].mean()),
        "lists": stage.lists,
        "drawn": sum(row.get(CLICKS, 0.0) for row in drawn.values()),
        "told": examined(drawn),
        "rates": [row.get(CLICKS, 0.0) / row[VIEWS] for row in _in_order(found["position"])],
        "looked": (stage.looked / stage.lists).tolist(),
    }


def _in_order(places: Any) -> list[dict[str, float]]:
    return [places[str(place + 1)] for place in range(LENGTH)]


def main() -> None:
    """Measure all variants."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--views", type=float, default=4.0, help="of a session, besides the list")
    parser.add_argument("--bare", action="store_true", help="no item is described, none explored")
    parser.add_argument("--variants", nargs="*", default=[*VARIANTS])
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    jobs = [(name, _trial(name, seed, options)) for name in options.variants
            for seed in range(options.seeds)]  # fmt: skip
    with ProcessPoolExecutor(options.processes) as pool:
        runs = list(pool.map(measured, jobs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "runs": runs}, indent=2) + "\n")
    report(runs)


def _trial(name: str, seed: int, options: argparse.Namespace) -> Trial:
    world = replace(world_of("shop", seed), session_views=options.views, metadata=not options.bare)
    settings = ("quality.attribution_days=7", *VARIANTS[name])
    return Trial(world=world, settings=settings, blocks=options.blocks)


def report(runs: list[dict[str, Any]]) -> None:
    """Print clicks per list of each variant, paired with the first, and how places are looked
    at."""
    clicks = {
        name: np.array([run["clicks"] for run in runs if run["variant"] == name])
        for name in dict.fromkeys(run["variant"] for run in runs)
    }
    first = next(iter(clicks.values()))
    shown = Table("variant", "clicks per list", "against the first", "95 % interval")
    for name, found in clicks.items():
        gain = found / first - 1.0
        ends = [f"{100 * end:+.1f}" for end in ends_of(gain)]
        shown.add_row(
            name, f"{found.mean():.4f}", f"{100 * gain.mean():+.1f} %", f"{' to '.join(ends)} %"
        )
    Console().print(shown)
    told = np.array([run["told"] for run in runs])
    looked = np.mean([np.array(run["looked"]) / run["looked"][0] for run in runs], axis=0)
    rates = np.mean([np.array(run["rates"]) / run["rates"][0] for run in runs], axis=0)
    true = float(np.exp(np.polyfit(np.arange(LENGTH), np.log(looked), 1)[0]))
    places = Table("place", "looked at", "by what is told", "by plain click-through")
    known = told[~np.isnan(told)]
    mean, spread = (known.mean(), known.std()) if len(known) else (np.nan, np.nan)
    for place in range(LENGTH):
        cells = looked[place], mean**place, rates[place]
        places.add_row(str(place + 1), *(f"{one:.2f}" for one in cells))
    Console().print(places)
    print(
        f"told {mean:.3f} from place to place, ±{spread:.3f} in {len(known)} of {len(told)} "
        f"runs, with {np.mean([run['drawn'] for run in runs]):.0f} clicks on explored items; "
        f"fitted to the truth {true:.3f}"
    )


def ends_of(values: NDArray[np.float64]) -> tuple[float, float]:
    """The 95 % interval of a mean, by Student's t.

    >>> ends_of(np.array([0.0, 2.0]))
    (-11.706, 13.706)
    """
    half = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return round(float(values.mean()) - half, 3), round(float(values.mean()) + half, 3)


if __name__ == "__main__":
    main()
