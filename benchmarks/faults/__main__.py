"""Injects faults repeatedly, and checks that nothing is lost.

In: the number of faults, and a seed. Out: a table on standard error, `benchmarks/out/faults.json`,
exit code 1 if anything was lost or counted twice. A steady load of numbered events goes through a
real Kafka, Redis and Flink with two TaskManagers, RocksDB and checkpoints; after each fault the
load pauses until the job's books agree with its own.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import redis
from rich.console import Console
from rich.table import Table

from benchmarks.faults.books import LISTS, SETTLE_S, Books, DeadLetters, compare, settle
from benchmarks.faults.kinds import IN_CASSANDRA, KINDS, STANDBY
from benchmarks.faults.load import PROBE, Load
from benchmarks.faults.place import Place
from benchmarks.load import known
from deploy.download import CACHE
from deploy.stack import COMPONENTS, Ports, Stack
from flink_app.config import load as load_config
from flink_app.connections.cassandra import apply_schema
from flink_app.console.totals import read_totals
from flink_app.package import write
from udfs.stores.cassandra_schema import schema

OUT = Path(__file__).parents[1] / "out" / "faults.json"
SHARDS, CHECKPOINT_S = 2, 3.0
DISK_MIB = 256
_APART = "FAULTS_APART"


class Outcome(msgspec.Struct):
    """One fault.

    Attributes:
        at: events written before it. in_flight: those of them not learned yet.
        recovery_s: from the fault until a list had an event written after the repair.
        right_s: from the fault until all books agreed. books: remaining differences.
    """

    fault: str
    at: int
    in_flight: int
    recovery_s: float
    right_s: float
    books: Books


class Trial:
    """A job on a stack, its load, and its books.

    Args:
        cassandra: whether lists are kept in the stack's Cassandra too. lists: a topic that they are
            also written to; "": none.
    """

    def __init__(
        self,
        stack: Stack,
        folder: Path,
        rate: int,
        seed: int,
        cassandra: bool = False,
        lists: str = "",
    ) -> None:
        self.stack, self._archive = stack, folder / "job.zip"
        given = [
            "source.kind=kafka",
            "source.topic=faults",
            f"source.brokers={stack.kafka_bootstrap}",
            "dead_letters.kind=kafka",
            "dead_letters.topic=faults-refused",
            f"lists_topic.topic={lists}",
            'lists_topic.kinds=["user"]',
            "feed.snapshot_s=2",
            "identity.enabled=true",
            *LISTS,
            f"redis.url={stack.redis_url}",
            "source.start=earliest",
            f"job.shards={SHARDS}",
            f"job.item_shards={SHARDS}",
            f"flink.options.execution.checkpointing.interval={CHECKPOINT_S:g}s",
        ]
        if cassandra:
            given += ["cassandra.hosts=127.0.0.1", f"cassandra.port={stack.ports.cassandra}"]
        loaded = load_config(None, given, {})
        write(self._archive, loaded)
        self.load = Load(stack.kafka_bootstrap, "faults", rate, seed)
        if cassandra:
            options = self.load.cassandra = loaded.config.cassandra
            apply_schema(options, schema(options.keyspace, 1))
        self.place = Place(stack, self.load, self._submit, seed, CHECKPOINT_S)
        self.load.shown = self.place.shown
        self.load.event(PROBE, "i0")
        self.load.pause()
        self.place.job = self._submit()
        self.letters = DeadLetters(stack.kafka_bootstrap, "faults-refused", lists)

    def _submit(self, *settings: str) -> str:
        code = ("-pyfs", str(self._archive), "-pym", "flink_app.main")
        options = [part for setting in settings for part in ("--set", setting)]
        return self.stack.submit("-d", "-p", "2", *code, *options)

    def begin(self) -> None:
        """Start the load, and wait until the job learns from it and has a checkpoint."""
        self.load.go()
        self._probe(600)
        deadline = time.monotonic() + 120
        while not list(self.stack.checkpoints.glob("*/chk-*/_metadata")):
            if time.monotonic() > deadline:
                raise SystemExit("there is no checkpoint after two minutes")
            time.sleep(0.2)

    def suffer(self, fault: str) -> Outcome:
        """Inject one fault under load; then pause the load until the books agree."""
        self.load.go()
        self.place.wait(1, 4)
        at, totals = self.load.written, read_totals(self.place.redis, "")
        in_flight = at - (totals.accounted if totals else 0)
        began = time.monotonic()
        KINDS[fault](self.place)
        self._probe(SETTLE_S)
        recovered = time.monotonic() - began
        self.load.pause()
        books = settle(self.load, self.stack.redis_url, self.letters, SHARDS)
        right = time.monotonic() - began
        return Outcome(fault, at, in_flight, round(recovered, 1), round(right, 1), books)

    def _probe(self, seconds: float) -> None:
        """Write an event of the probe, and wait until its list counts it."""
        self.load.event(PROBE, "i0")
        deadline = time.monotonic() + seconds
        while True:
            try:
                stored = self.place.redis.get(f"rec:{PROBE}")
                if known(stored) >= self.load.users[PROBE]:
                    return
            except redis.RedisError:
                pass
            if time.monotonic() > deadline:
                books = compare(self.load, self.stack.redis_url, self.letters, SHARDS)
                raise SystemExit(f"no list for {seconds:g} s after the fault; books: {books}")
            time.sleep(0.02)

    def close(self) -> None:
        """End the load and the readers."""
        self.load.end()
        self.letters.close()


def sequence(count: int, seed: int, only: Sequence[str]) -> list[str]:
    """The faults in random order, each kind equally often."""
    kinds = list(only or KINDS)
    chosen = [kinds[n % len(kinds)] for n in range(count)]
    random.Random(seed).shuffle(chosen)
    return chosen


def apart() -> bool:
    """Whether this process may mount a small disk that no other process sees, which Linux allows
    in a separate mount namespace; if it can create one, the process restarts itself there."""
    if os.environ.get(_APART):
        return True
    own = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    try:
        possible = subprocess.run([*own, "true"], capture_output=True).returncode == 0
    except FileNotFoundError:
        possible = False
    if possible:
        command = [*own, sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]]
        os.execvpe(command[0], command, os.environ | {_APART: "1"})
    return False


def small_disk(folder: Path) -> None:
    """Mount a disk of `DISK_MIB` at a folder, until this process ends."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m"]
    subprocess.run(["mount", *options, "tmpfs", str(folder)], check=True)


def run(
    folder: Path, faults: Sequence[str], rate: int, seed: int, disk: bool = False, lists: str = ""
) -> list[Outcome]:
    """Start a stack, inject the faults, and stop it.

    Args:
        faults: all of `STANDBY`, or none. disk: whether checkpoints go to a small disk, which can
            be filled up. lists: a topic that lists are also written to, and compared; "": none.
    """
    stack = Stack(folder / "stack", Ports.free(), CACHE)
    cassandra = any(fault in IN_CASSANDRA for fault in faults)
    found = []
    try:
        zookeeper = ["zookeeper"] if STANDBY & {*faults} else []
        stack.up([*zookeeper, *COMPONENTS, *["cassandra"] * cassandra])
        if disk:
            small_disk(stack.checkpoints)
        trial = Trial(stack, folder, rate, seed, cassandra, lists)
        trial.begin()
        for number, fault in enumerate(faults, 1):
            found.append(outcome := trial.suffer(fault))
            say(f"{number}/{len(faults)} {msgspec.json.encode(outcome).decode()}")
        trial.close()
    finally:
        stack.down()
        if disk:
            subprocess.run(["umount", "--lazy", str(stack.checkpoints)], check=True)
    return found


def report(outcomes: Sequence[Outcome]) -> Table:
    """A row for each kind of fault."""
    table = Table(title="faults: nothing may be lost, nothing counted twice")
    for column in (
        "fault",
        "times",
        "events in flight",
        "lost or twice",
        "letters repeated",
        "first list after, s: p50",
        "max",
        "all right after, s: max",
    ):
        table.add_column(column, justify="left" if column == "fault" else "right")
    for kind in KINDS:
        rows = [each for each in outcomes if each.fault == kind]
        if not rows:
            continue
        wrong = sum(row.books.wrong - row.books.totals for row in rows)
        took = [row.recovery_s for row in rows]
        table.add_row(
            kind.replace("_", " "),
            str(len(rows)),
            str(sum(row.in_flight for row in rows)),
            str(wrong),
            str(rows[-1].books.repeated),
            f"{statistics.median(took):g}",
            f"{max(took):g}",
            f"{max(row.right_s for row in rows):g}",
        )
    return table


def say(text: str) -> None:
    """Print progress."""
    print(text, file=sys.stderr)


def main() -> None:
    """Inject, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=64, help="number, each kind equally often")
    parser.add_argument("--only", nargs="+", choices=KINDS, default=[], help="only these kinds")
    parser.add_argument("--rate", type=int, default=200, help="events/s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lists", default="", help="a topic for lists, compared with Redis")
    options = parser.parse_args()
    disk = apart()
    if not disk:
        say("a small disk cannot be mounted here: skipping the fault full_disk")
        options.only = [kind for kind in options.only or KINDS if kind != "full_disk"]
    faults = sequence(options.faults, options.seed, options.only)
    outcomes = []
    for standby in (False, True):
        chosen = [fault for fault in faults if (fault in STANDBY) == standby]
        if chosen:
            with tempfile.TemporaryDirectory() as name:
                load = options.rate, options.seed
                outcomes += run(Path(name), chosen, *load, disk, options.lists)
    Console(stderr=True, width=140).print(report(outcomes))
    OUT.parent.mkdir(exist_ok=True)
    figures = {"rate": options.rate, "seed": options.seed, "outcomes": outcomes}
    OUT.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))
    print(json.dumps({"faults": len(outcomes), "written": str(OUT)}))
    if not all(outcome.books.agree for outcome in outcomes):
        raise SystemExit("the books do not agree: see above")


if __name__ == "__main__":
    main()
