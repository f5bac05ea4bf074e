"""`python -m benchmarks.crowd`: what the guard keeps out, whom it touches, and what it costs.

In: the simulated shop, with a click farm of 500 accounts that push one item, or a bot; MovieLens.
Out: a line of JSON for each case: the places of the pushed item by popularity, how many honest
users were ever held back, and the CPU time with and without `crowd.guard`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from flink_app.config import load
from flink_app.evaluate.evaluation import with_positive
from flink_app.graph.event_settings import decode_settings
from flink_app.simulator import Shop, ShopSettings
from flink_app.simulator.actions import encode_event
from flink_app.simulator.farm import Farm, with_farm
from udfs.events.batch import EventBatch, make_batch
from udfs.events.decode import Decoder
from udfs.learning.guarded import Guarded, Turn
from udfs.learning.learner import Learned, Learner
from udfs.learning.votes import Votes
from udfs.state.handles import MemoryRows

BATCH = 256
PUSHED = "i1900"
SHOPS = {
    "busy": ShopSettings(users=5_000),
    "quiet": ShopSettings(users=20_000, traffic=5.0),
}


class Run:
    """A learner of one shard, with a guard or without.

    Attributes:
        held: the users that were ever held back. cpu: seconds. learner: see there.

    Args:
        given: more options.
    """

    def __init__(
        self, *, guard: bool, preset: str = "", positive: str = "", given: Sequence[str] = ()
    ) -> None:
        given = [*given, *([f"source.preset={preset}"] if preset else [])]
        config = with_positive(load(None, given, {}).config, positive)
        self.learner = Learner(config.settings)
        self._decoder, self._rows = Decoder(decode_settings(config)), (MemoryRows(), MemoryRows())
        self._votes = Votes(MemoryRows())
        self._guarded = Guarded(self.learner, *self._rows) if guard else None
        self._mean, self._number = np.zeros(2), 0
        self.held: set[str] = set()
        self.users: set[str] = set()
        self.cpu = 0.0

    def batches(self, lines: Sequence[bytes], size: int) -> Iterator[EventBatch]:
        """The events of lines, so many lines at a time."""
        for begin in range(0, len(lines), size):
            texts = [line.decode() for line in lines[begin : begin + size]]
            d = self._decoder.decode(texts, time.time_ns() // 1_000_000)
            if len(d):  # not all are of weight 0
                yield make_batch(d.users, d.items, d.weights, d.flags, d.ts, d.ids, 0)

    def learn(self, lines: Sequence[bytes], size: int = BATCH) -> None:
        """Learn lines, so many at a time."""
        for batch in self.batches(lines, size):
            self.users.update(batch.users)
            began = time.process_time()
            learned = self.take(batch, int(batch.ts.max()))
            self.cpu += time.process_time() - began
            if learned.held:
                found = ((user, self._votes.record(user)) for user in batch.users)
                self.held |= {user for user, record in found if record["until"]}

    def take(self, batch: EventBatch, now_ms: int) -> Learned:
        """Learn a batch."""
        turn, (rows, history) = Turn(self._number, now_ms, self._mean), self._rows
        if self._guarded is None:
            learned = self.learner.learn(batch, rows, history, *turn)
        else:
            learned = self._guarded.learn(batch, turn, self._votes)
        self.learner.messages(now_ms)
        self._number += len(batch)
        return learned

    def places(self, item: str) -> tuple[int, int]:
        """The place of an item in the order of popularity for known users, and in the list for
        everybody if that had no end, from 1."""
        self.learner.models.forget_popular()
        found = self.learner.models.popular.look(1)
        slot = self.learner.catalogue.find([item])[0]
        known, everybody = (
            int(np.flatnonzero(order == slot)[0]) + 1
            for order in (found.known.order, found.strangers.order)
        )
        return known, everybody


def shop_lines(settings: ShopSettings, events: int) -> list[bytes]:
    """The first events of a shop, in simulated time."""
    shop, lines, now = Shop(settings), list[bytes](), float(settings.start_ms)
    while len(lines) < events:
        actions = shop.advance()
        times = now + np.cumsum(shop.gaps(len(actions)))
        lines += shop.lines(actions, times.astype(np.int64).tolist(), len(lines), run="")
        now = float(times[-1]) if len(actions) else now
    return lines[:events]


def with_bot(lines: Sequence[bytes], item: str, every_ms: int) -> list[bytes]:
    """The same with a bot that views one item, over and over, in the second half."""
    ts = [msgspec.json.decode(line)["ts"] for line in lines]
    times = range(ts[len(ts) // 2], ts[-1], every_ms)
    bot = [(at, encode_event("bot", item, "view", at, f"b{at}", "")) for at in times]
    return [line for _, line in sorted([*zip(ts, lines, strict=True), *bot], key=lambda x: x[0])]


def cases(events: int) -> Iterator[tuple[str, list[bytes]]]:
    """The shops, each alone, with farms of accounts that have more or less disguise, and a bot."""
    for name, settings in SHOPS.items():
        honest = shop_lines(settings, events)
        yield f"{name} shop", honest
        for views in (1, 3, 6, 12):
            yield f"{name} shop, farm of {views}", with_farm(honest, Farm(item=PUSHED, views=views))
        yield f"{name} shop, bot", with_bot(honest, PUSHED, 1_000)


def pushed(name: str, lines: list[bytes]) -> dict[str, Any]:
    """One case, without and with the guard."""
    runs = {guard: Run(guard=guard) for guard in (False, True)}
    found: dict[str, Any] = {"case": name, "events": len(lines)}
    for begin in range(0, len(lines), 50 * BATCH):  # in turns, so that both meet the same machine
        for run in runs.values():
            run.learn(lines[begin : begin + 50 * BATCH])
    off, on = runs[False], runs[True]
    honest = {user for user in on.users if user.startswith("u")}
    known, everybody = zip(off.places(PUSHED), on.places(PUSHED), strict=True)
    return found | {
        "place": known,
        "place_for_all": everybody,
        "honest": len(honest),
        "honest_held": len(on.held & honest),
        "others_held": len(on.held - honest),
        "cpu_ratio": round(on.cpu / off.cpu, 3),
    }


def movielens_lines(folder: Path) -> list[bytes]:
    """MovieLens-100K, in the order of time."""
    lines = (folder / "ml-100k" / "u.data").read_bytes().splitlines()
    return sorted(lines, key=lambda line: int(line.split(b"\t")[3]))


def movielens(folder: Path, positive: str) -> dict[str, Any]:
    """MovieLens-100K: how many users are held back."""
    run = Run(guard=True, preset="movielens", positive=positive)
    run.learn(movielens_lines(folder))
    return {"case": f"MovieLens {positive}", "users": len(run.users), "held": len(run.held)}


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="a folder with ml-100k/u.data")
    options = parser.parse_args()
    learner = Run(guard=True).learner
    learner.compile()
    Guarded.compile(learner)
    if options.data:
        for positive in ("", "rating>=4.5"):
            print(json.dumps(movielens(options.data, positive)), flush=True)
    for name, lines in cases(options.events):
        print(json.dumps(pushed(name, lines)), flush=True)


if __name__ == "__main__":
    main()
