"""The CPU time of re-ranking: microseconds a list, of each step and of all.

In: nothing; items, users and candidates are made up. Out: a table, and its figures as JSON in the
last line. 5,000 items with content vectors and up to three of 20 categories, 500 users with 40
items each, lists of 20 out of 100 candidates, in batches of 64; the least of many rounds in turns,
since whatever else runs only adds to it.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from udfs.learning.learner import Learner
from udfs.memory.metadata import NEVER
from udfs.models.content.features import WIDTH
from udfs.models.ranked import Told
from udfs.models.settings import Settings
from udfs.options.learning import Lists
from udfs.options.rerank import Rerank
from udfs.options.rules import Rule
from udfs.ranking.steps.rerank import Reranking
from udfs.state.handles import MemoryRows

ITEMS, USERS, TAKEN, ROWS, LONG, LENGTH, REASONS = 5000, 500, 40, 64, 100, 20, 2
NOW = 1_700_000_000_000
RULES = [Rule(when='provider == "p1"', exposure=0.2)]
SETTINGS: dict[str, tuple[Rerank, list[Rule]]] = {
    "debias": (Rerank(debias=0.1), []),
    "repeats": (Rerank(repeats=3), []),
    "exposure": (Rerank(), RULES),
    "calibration": (Rerank(calibration=2.0), []),
    "diversity": (Rerank(diversity=0.5), []),
    "all": (Rerank(debias=0.1, repeats=3, calibration=2.0, diversity=0.5), RULES),
}


def made_up() -> Learner:
    """A learner that knows items and users."""
    random, settings = np.random.default_rng(1), Settings(lists=Lists(length=LENGTH))
    learner = Learner(settings)
    catalogue, users = learner.catalogue, learner.users
    slots = catalogue.slots([f"i{n}" for n in range(ITEMS)])
    groups = random.integers(0, 20, (ITEMS, 4)).astype(np.int32)
    groups[:, 1:3][random.random((ITEMS, 2)) < 0.5] = -1
    for number in range(20):
        catalogue.metadata.label(f"category:{number}")
    catalogue.metadata.put(slots, allowed=True, published=0, expires=NEVER, groups=groups)
    catalogue.metadata.bits[slots] = random.random(ITEMS) < 0.2
    vectors = random.normal(size=(ITEMS, WIDTH)) + random.normal(size=(20, WIDTH))[groups[:, 0]]
    vectors *= 127 / np.linalg.norm(vectors, axis=1, keepdims=True)
    learner.models.describe(slots, np.rint(vectors).astype(np.int8))
    catalogue.events[slots] = random.zipf(1.5, ITEMS).clip(max=10**6)
    names = [f"u{n}" for n in range(USERS)]
    users.locate(names, MemoryRows(), MemoryRows(), catalogue)
    users.reserve_pages(USERS * 2)
    for slot in range(USERS):
        taken = random.choice(ITEMS, TAKEN, replace=False).astype(np.int32)
        for begin in range(0, TAKEN, 32):
            part = taken[begin : begin + 32]
            users.tail[slot] = users._pages.push(int(users.tail[slot]), part, 0)
            users.fill[slot] = len(part)
    return learner


def measure(rounds: int) -> dict[str, float]:
    """Microseconds a list, by step."""
    learner, random = made_up(), np.random.default_rng(2)
    steps = {}
    for name, (options, rules) in SETTINGS.items():
        settings = replace(learner.settings, rerank=options, rules=rules)
        some = steps[name] = Reranking(
            settings, learner.models.shop, learner.models.content, LENGTH
        )
        if not some.repeats.idle:
            seen = np.repeat(np.arange(USERS, dtype=np.int32), 80)
            keys = random.choice(learner.catalogue.keys[:ITEMS], len(seen))
            some.repeats.see(seen, keys, np.full(len(seen), NOW))
    learner.models.clock_ms = float(NOW)
    best = dict.fromkeys(steps, np.inf)
    shape = ROWS, LONG
    for _ in range(rounds):
        items = np.argsort(random.random((ROWS, ITEMS)), axis=1)[:, :LONG].astype(np.int32)
        scores = -np.sort(-(random.random(shape).astype(np.float32) ** 4), axis=1)
        reasons = np.zeros((*shape, REASONS), np.int32)
        models, none = np.zeros(shape, np.int8), np.empty((ROWS, 0), np.int32)
        told = Told(items, scores, models, reasons, none)
        users = random.integers(0, USERS, ROWS).astype(np.int32)
        for name, some in steps.items():
            began = time.perf_counter_ns()
            made = some.put(told, users)
            some.exposure.see(made.items)
            best[name] = min(best[name], (time.perf_counter_ns() - began) / 1000 / ROWS)
    return {name: round(value, 2) for name, value in best.items()}


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=300)
    found = measure(parser.parse_args().rounds)
    table = Table(title=f"{LENGTH} of {LONG} candidates, in batches of {ROWS}")
    table.add_column("step")
    table.add_column("µs a list", justify="right")
    for name, value in found.items():
        table.add_row(name, f"{value:.1f}")
    Console().print(table)
    print(json.dumps({"microseconds": found}))


if __name__ == "__main__":
    main()
