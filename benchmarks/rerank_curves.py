"""What each step of re-ranking gives and takes, on recorded ratings: a curve of its parameter.

In: MovieLens-100K, its ratings of 5 in order of time, u.item. Out: a table, and JSON in
benchmarks/out. Every event is a test before it is learned, in strict order, as by `millirec
evaluate --positive 'rating>=4.5' --items u.item`. Measures are those of
`flink_app.evaluate.beyond`, with all genres of an item, where the job knows three categories;
coverage is the number of different items in lists by that of all that were ever taken. `--bare`
leaves u.item out, as figures elsewhere do: then items that nobody has taken yet are in no list, and
what needs to know what items are does nothing. `--ideal` adds rows of a search that is told all
genres and the measure of diversity: what the same candidates could give at most.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.evaluate import recorded
from benchmarks.machine import machine
from flink_app.config import load
from flink_app.evaluate.beyond import Facts, measures, mixes
from flink_app.evaluate.closer import CURVES
from flink_app.evaluate.item_entries import item_entries
from flink_app.evaluate.replay import Make, Plan, Replay, replay
from udfs.events.batch import CONSUMED, EventBatch, make_batch
from udfs.feed.metadata import unpack
from udfs.learning.learner import Learner
from udfs.models.ranked import Told
from udfs.models.settings import Settings
from udfs.options.explore import Explore
from udfs.options.learning import Lists
from udfs.options.rerank import Rerank
from udfs.options.runtime import Job
from udfs.ranking.steps.rerank import Reranking

LENGTH, LONG, TOP = 20, 100, 10
WORTHS = 0.0005, 0.001, 0.0015, 0.002, 0.0025, 0.003  # of `ideal`
NOW = 1_700_000_000_000


class Ratings(NamedTuple):
    """n events in order of time.

    Attributes:
        users, items: ids. ts: ms. genres: of each item, 0 or 1 of each of 19.
    """

    users: list[str]
    items: list[str]
    ts: list[int]
    genres: dict[str, NDArray[np.float32]]


def read(folder: Path, most: int | None = None) -> Ratings:
    """The ratings of 5 in u.data, the first `most`, and the genres in u.item."""
    rows = [line.split("\t") for line in (folder / "u.data").read_text().splitlines()]
    good = sorted((row for row in rows if row[2] == "5"), key=lambda row: int(row[3]))[:most]
    genres = {}
    for line in (folder / "u.item").read_text("latin-1").splitlines():
        cells = line.split("|")
        genres[cells[0]] = np.array(cells[5:24], np.float32)
    return Ratings(
        [row[0] for row in good], [row[1] for row in good], [int(r[3]) * 1000 for r in good], genres
    )


def learner_of(items: Path | None, **sections: Any) -> Learner:
    """A learner of lists of `LONG`, event by event, that knows what the items are, if told."""
    settings = Settings(
        lists=Lists(length=LONG),
        explore=Explore(share=0.0),
        job=Job(strict=True),
        **sections,
    )
    learner = Learner(settings)
    if items is None:
        return learner
    config = load(None, ["items.preset=movielens"], {}).config
    entries = item_entries(replace(config, rules=settings.rules), [items], NOW)
    learner.describe([unpack(entry) for entry in entries], NOW)
    return learner


def rerank(learner: Learner, options: Rerank, keep: int = LENGTH) -> Reranking:
    """Re-ranking of a learner's lists, `keep` items of each."""
    settings = replace(learner.settings, lists=Lists(length=LENGTH), rerank=options)
    return Reranking(settings, learner.models.shop, learner.models.content, keep)


def events(data: Ratings) -> EventBatch:
    """The ratings as events."""
    n = len(data.users)
    ones, flags = np.ones(n), np.full(n, CONSUMED)
    return make_batch(data.users, data.items, ones, flags, np.array(data.ts), [""] * n, 0)


def passed(
    data: Ratings,
    learner: Learner,
    steps: Mapping[str, Reranking],
    first: int = 0,
    more: Mapping[str, Make] = {},
) -> Replay:
    """Learn each event, and test those from the first on before. Users see the first ten of what is
    made of the same candidates, for each of `steps` by itself; `more`: other lists of these."""
    make: dict[str, Make] = {name: partial(serve, learner, some) for name, some in steps.items()}
    return replay(learner, events(data), make | dict(more), Plan(NOW, first))


def serve(
    learner: Learner, some: Reranking, told: Told, slots: NDArray[np.int32], ts: int
) -> NDArray[np.int32]:
    """The list of one user, int32[LENGTH], which is noted as served and seen."""
    made = some.put(told, slots).items
    items: NDArray[np.int32] = made[0, :LENGTH]
    some.exposure.see(made)
    if not some.repeats.idle:
        top = items[:TOP][items[:TOP] >= 0]
        seen = np.repeat(slots, len(top)), learner.catalogue.keys[top], np.full(len(top), ts)
        some.repeats.see(*seen)
    return items


def ideal(genres: NDArray[np.float32], worth: float, some: Reranking) -> Make:
    """Makes lists whose first ten are chosen one by one, each as the one with the largest

        p_j + worth · Σ_i (1 − cos(j, i))  over the items i chosen before

    where p is the chance after the steps of `some`, a share of that of all its candidates. The sum
    over all pairs is what `diversity` of `flink_app.evaluate.beyond` is the mean of, so that
    nothing is lost by another idea of what is alike. The ten are in the order of their chances.

    Args:
        genres: float32[I, G], 0 or 1, by slot.
    """
    length = np.maximum(np.linalg.norm(genres, axis=1, keepdims=True), 1e-9)
    unit = genres / length

    def make(told: Told, slots: NDArray[np.int32], ts: int) -> NDArray[np.int32]:
        ranked = some.put(told, slots)
        items = ranked.items[0][ranked.items[0] >= 0]
        p = ranked.scores[0, : len(items)].astype(np.float64)
        gains, apart = p / p.sum(), 1.0 - unit[items] @ unit[items].T
        chosen = list[int]()
        for _ in range(min(TOP, len(items))):
            chosen.append(int(np.argmax(gains)))
            gains = gains + worth * apart[chosen[-1]]
            gains[chosen] = -np.inf
        found = np.full(LENGTH, -1, np.int32)
        found[: len(chosen)] = items[sorted(chosen)]
        return found

    return make


def facts(replayed: Replay, genres: NDArray[np.int32]) -> Facts:
    """What the tests are compared with; `genres`: int32[I, G], by slot. An item that nobody has
    taken before is a miss, described or not."""
    taken = np.bincount(replayed.items, minlength=len(genres))
    at = replayed.tests.at[replayed.chosen] - 1
    mix = mixes(replayed.users, replayed.items, at, genres)
    shares = np.maximum(taken, 1) / taken.sum()
    first = np.unique(replayed.items, return_index=True)[1]
    wanted = np.where(np.isin(at, first), -1, replayed.wanted).astype(np.int32)
    return Facts(wanted, genres, mix, shares, int((taken > 0).sum()))


def of_slots(learner: Learner, genres: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
    """The row of each slot of the catalogue, float32[I, 19], 0 or 1 of each genre."""
    nothing = np.zeros(19, np.float32)
    return np.array([genres.get(name or "", nothing) for name in learner.catalogue.ids])


def by_slot(learner: Learner, genres: Mapping[str, NDArray[np.float32]]) -> NDArray[np.int32]:
    """The genres of each slot of the catalogue, int32[I, 19], −1 after the last."""
    has = of_slots(learner, genres) > 0
    order = np.argsort(~has, axis=1, kind="stable")
    return np.where(np.take_along_axis(has, order, 1), order, -1).astype(np.int32)


def settings(curves: Mapping[str, Sequence[float]]) -> dict[str, Rerank]:
    """None, one step at a time at each strength, and two together."""
    found = {"none": Rerank(order=[])}
    for step, strengths in curves.items():
        for strength in strengths:
            given: dict[str, Any] = {step: strength}
            found[f"{step} {strength}"] = Rerank(**given)
    found["calibration 1.0, diversity 1.3"] = Rerank(calibration=1.0, diversity=1.3)
    return found


def ideals(learner: Learner, data: Ratings) -> dict[str, Make]:
    """`ideal` of what the ranker says, and after a little calibration."""
    genres = of_slots(learner, data.genres)
    first = {
        "ideal": Rerank(order=[]),
        "calibration 1.0, ideal": Rerank(calibration=1.0),
    }
    return {
        f"{name} {worth}": ideal(genres, worth, rerank(learner, some, LONG))
        for name, some in first.items()
        for worth in WORTHS
    }


def table(rows: Iterable[tuple[str, Mapping[str, float]]]) -> Table:
    """The measures, and how far each is from that of the first row."""
    made, first = Table(title="MovieLens-100K, ratings of 5"), dict[str, float]()
    made.add_column("step")
    for name, figures in rows:
        if not first:
            first = dict(figures)
            for column in figures:
                made.add_column(column, justify="right")
        cells = [f"{value:.4f} {value / first[key] - 1:+.1%}" for key, value in figures.items()]
        made.add_row(name, *cells)
    return made


def main() -> None:
    """Measure all curves."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="MovieLens-100K's folder")
    parser.add_argument("--events", type=int, help="so many of the first; all by default")
    parser.add_argument("--bare", action="store_true", help="without u.item")
    parser.add_argument("--ideal", action="store_true", help="what a search could give at most")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/out/rerank_curves.json"))
    options = parser.parse_args()
    folder = recorded(options.data).parent
    data = read(folder, options.events)
    learner = learner_of(None if options.bare else folder / "u.item")
    steps = {name: rerank(learner, some) for name, some in settings(CURVES).items()}
    more = ideals(learner, data) if options.ideal else {}
    replayed = passed(data, learner, steps, more=more)
    of = facts(replayed, by_slot(learner, data.genres))
    rows = {name: measures(lists, of) for name, lists in replayed.lists.items()}
    Console(width=150).print(table(rows.items()))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
