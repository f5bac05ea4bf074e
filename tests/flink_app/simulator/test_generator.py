from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from flink_app.simulator import Shop, ShopSettings, play, simulate
from flink_app.writers.files import TICK_S, FileWriter, Writer
from udfs.errors import ConfigError

SMALL = ShopSettings(users=60, items=80, seed=9)


class Kept(Writer):
    """Keeps its batches, and the number of flushes."""

    def __init__(self) -> None:
        self.batches: list[list[bytes]] = []
        self.flushes = 0

    def write(self, lines: Sequence[bytes]) -> None:
        self.batches.append(list(lines))

    def flush(self) -> None:
        self.flushes += 1

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for batch in self.batches for line in batch]


def test_the_same_settings_write_byte_identical_files(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 9), ("b", 9), ("c", 10)):
        with FileWriter(tmp_path / name) as writer:
            settings = ShopSettings(users=60, items=80, seed=seed)
            assert simulate(settings, writer, events=5000) == 5000
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].count(b"\n") == 5000


def test_events_have_millirec_s_form_unique_ids_and_ascending_simulated_times() -> None:
    kept = Kept()
    simulate(ShopSettings(users=60, items=80, traffic=20.0), kept, events=3000)
    events = kept.events
    assert [event["id"] for event in events] == [f"e{number}" for number in range(3000)]
    assert {tuple(event) for event in events} == {("user", "item", "type", "ts", "id", "session")}
    assert {event["type"] for event in events} == {"view", "cart", "purchase"}
    times = [event["ts"] for event in events]
    assert times == sorted(times)
    assert times[0] >= SMALL.start_ms
    assert (times[-1] - times[0]) / 1000 == pytest.approx(3000 / 20.0, rel=0.1)


def test_a_rate_spreads_events_over_wall_clock_time() -> None:
    kept = Kept()
    before = time.time_ns() // 1_000_000
    start = time.monotonic()
    assert simulate(SMALL, kept, events=150, rate=500.0) == 150
    elapsed = time.monotonic() - start
    assert elapsed >= 0.29  # the last is due after 0.3 s
    times = [event["ts"] for event in kept.events]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time_ns() // 1_000_000
    assert times[-1] - times[0] > 150
    assert 1 < len(kept.batches) < elapsed / TICK_S + 20  # one a tick, two where a block ends
    assert kept.flushes == 1


def test_ids_of_two_paced_runs_differ() -> None:
    runs = []
    for _ in range(2):
        kept = Kept()
        simulate(SMALL, kept, events=20, rate=10_000.0)
        runs.append({event["id"] for event in kept.events})
        time.sleep(0.002)
    assert len(runs[0]) == len(runs[1]) == 20
    assert not runs[0] & runs[1]


def test_the_limit_of_seconds_ends_a_run_while_nothing_is_due() -> None:
    kept = Kept()
    assert simulate(SMALL, kept, seconds=0.05, rate=0.01) == 0
    assert simulate(SMALL, kept, seconds=0.05) > 0
    assert simulate(SMALL, kept, events=0) == 0


def test_progress_counts_every_event_written() -> None:
    kept = Kept()
    progress: list[int] = []
    simulate(SMALL, kept, events=2000, on_progress=progress.append)
    sizes = [len(batch) for batch in kept.batches]
    assert progress == [sum(sizes[: n + 1]) for n in range(len(sizes))]
    assert progress[-1] == 2000


def test_an_interrupt_ends_the_run_after_its_batch_and_flushes() -> None:
    kept = Kept()
    # In a script's background, a process starts with the signal ignored, and keeps it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt(written: int) -> None:
        if written > 500:
            signal.raise_signal(signal.SIGINT)

    try:
        written = simulate(SMALL, kept, events=100_000, on_progress=interrupt)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert 100_000 > written == len(kept.events) > 500
    assert kept.flushes == 1


def test_an_event_stops_a_run_in_another_thread() -> None:
    kept, stop, shop = Kept(), threading.Event(), Shop(SMALL)
    started = threading.Event()
    written: list[int] = []

    def run() -> None:
        written.append(
            play(shop, kept, rate=1000.0, on_progress=lambda _: started.set(), stop=stop)
        )

    thread = threading.Thread(target=run)
    thread.start()
    assert started.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert written == [len(kept.events)]


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"events": -1}, "number of events is -1"),
        ({"seconds": -0.5}, "number of seconds is -0.5"),
        ({"rate": 0.0}, "rate is 0 events a second; it must be above 0"),
        ({"rate": float("nan")}, "rate is nan"),
    ],
)
def test_limits_out_of_range_are_reported(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        simulate(SMALL, Kept(), **limits)


def test_described_items_come_before_their_first_event_and_change_no_other_line() -> None:
    plain, told = Kept(), Kept()
    settings = ShopSettings(users=60, items=80, seed=9, new_items=0.02)
    assert simulate(settings, plain, events=3000) == 3000
    described = replace(settings, metadata=True, images=True, vectors=True)
    assert simulate(described, told, events=3000) == 3000
    lines = [line for batch in told.batches for line in batch]
    events = [line for line in lines if b'"kind":"item"' not in line]
    assert events == [line for batch in plain.batches for line in batch]
    known: set[str] = set()
    latest = 0
    for event in map(json.loads, lines):
        if event.get("kind") == "item":
            known.add(event["item"])
            assert event["ts"] >= latest - 1
        else:
            assert event["item"] in known
            latest = event["ts"]
    assert len(known) > 100


def test_a_paced_shop_publishes_new_items_now() -> None:
    kept = Kept()
    before = time.time_ns() // 1_000_000
    shop = ShopSettings(users=60, items=80, seed=9, new_items=0.05, metadata=True)
    simulate(shop, kept, events=600, rate=20_000.0)
    items = [event for event in kept.events if event.get("kind") == "item"]
    fresh = [event for event in items if int(event["item"][1:]) >= 80]
    assert len(items) > 80
    assert all(event["published"] == event["ts"] >= before for event in fresh)
