"""`millirec replay` writes events in order, when they are due, by a clock that a test moves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.cli import main
from flink_app.config import Config, load
from flink_app.data.replay.pace import BATCH, Clock, play
from flink_app.data.replay.playback import announced, target_of
from flink_app.data.replay.recording import Recording, read_recording
from flink_app.graph.event_settings import decode_settings
from flink_app.writers.files import Writer
from flink_app.writers.targets import writer_to
from udfs.errors import ConfigError, SourceError

ROOT = Path(__file__).parents[4]
NOW = 1_700_000_000_000


class FakeClock(Clock):
    """Time passes when it is waited for, and by `busy` seconds at each look."""

    def __init__(self, busy: float = 0.0) -> None:
        super().__init__()
        self.time, self.busy, self.waits = 0.0, busy, [0.0]

    def seconds(self) -> float:
        self.time += self.busy
        return self.time

    def now_ms(self) -> int:
        return NOW + round(1000 * self.time)

    def wait(self, seconds: float) -> None:
        self.time += seconds
        self.waits.append(seconds)


class Kept(Writer):
    """Keeps batches with the time at which they came."""

    def __init__(self, clock: FakeClock, stop_after: int = 10**9) -> None:
        self.batches: list[tuple[float, list[dict[str, Any]]]] = []
        self.flushed = 0
        self._clock, self._stop_after = clock, stop_after

    def write(self, lines: Sequence[bytes]) -> None:
        self.batches.append((self._clock.time, [json.loads(line) for line in lines]))
        if len(self.events) >= self._stop_after:
            self._clock.stop.set()

    def flush(self) -> None:
        self.flushed += 1

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for _, batch in self.batches for event in batch]


def recording(ts: Sequence[int]) -> Recording:
    n = len(ts)
    names = [f"u{k}" for k in range(n)]
    return Recording(
        ts=np.array(sorted(ts), np.int64), users=names, items=["i"] * n, types=["view"] * n,
        values=np.full(n, np.nan), ids=[f"e{k}" for k in range(n)], left_out=0,
    )  # fmt: skip


times = st.lists(st.integers(0, 3_600_000), min_size=1, max_size=50)


@given(times, st.sampled_from([0.5, 1.0, 100.0, 5000.0]))
def test_no_event_is_early_and_none_late_by_more_than_a_look(ts: list[int], speed: float) -> None:
    clock = FakeClock()
    writer = Kept(clock)
    assert play(recording(ts), writer, speed, False, clock) == len(ts)
    assert [event["user"] for event in writer.events] == [f"u{k}" for k in range(len(ts))]
    due = [(at - min(ts)) / 1000 / speed for at in sorted(ts)]
    written = [at for at, batch in writer.batches for _ in batch]
    for expected, at in zip(due, written, strict=True):
        assert expected - 1e-6 <= at <= expected + 0.02 + 1e-6
    assert max(clock.waits) <= 0.5
    assert writer.flushed == 1


def test_events_happen_now_with_ids_that_no_second_replay_repeats() -> None:
    clock = FakeClock()
    writer = Kept(clock)
    play(recording([0, 1000]), writer, 1.0, False, clock)
    first, second = writer.events
    assert (first["ts"], second["ts"]) == (NOW, NOW + 1000)
    assert first["id"] == f"{NOW:x}-e0"


def test_times_and_ids_may_be_kept() -> None:
    clock = FakeClock()
    writer = Kept(clock)
    play(recording([5, 1000]), writer, 1.0, True, clock)
    assert [(event["ts"], event["id"]) for event in writer.events] == [(5, "e0"), (1000, "e1")]


def test_a_slow_writer_gets_what_is_due_in_batches_and_nothing_is_left_out() -> None:
    clock = FakeClock(busy=100.0)
    writer = Kept(clock)
    seen: list[int] = []
    assert play(recording(range(2 * BATCH + 1)), writer, 1.0, False, clock, seen.append) == (
        2 * BATCH + 1
    )
    assert [len(batch) for _, batch in writer.batches] == [BATCH, BATCH, 1]
    assert seen == [BATCH, 2 * BATCH, 2 * BATCH + 1]
    assert clock.waits == [0.0]


def test_a_stop_ends_it_with_what_was_written() -> None:
    clock = FakeClock()
    writer = Kept(clock, stop_after=2)
    assert play(recording([0, 0, 9_000_000]), writer, 1.0, False, clock) == 2
    assert writer.flushed == 1


def read(path: Path, *settings: str, most: int = 100) -> Recording:
    return read_recording([path], decode_settings(load(None, settings, {}).config), NOW, most)


def test_any_presets_events_become_millirecs_own_in_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "feedback"
    events = [
        {"UserId": "b", "ItemId": "x", "FeedbackType": "star", "Timestamp": "2023-01-02"},
        {"UserId": "a", "ItemId": "x", "FeedbackType": "read", "Timestamp": "2023-01-01"},
        {"UserId": "a", "ItemId": "y", "FeedbackType": "share", "Timestamp": "2023-01-02"},
        {"UserId": "a", "ItemId": "z", "FeedbackType": "read"},
        {"UserId": "a"},
    ]
    path.write_bytes(b"\n".join(map(msgspec.json.encode, events)))
    found = read(path, "source.preset=gorse", "events.unknown_type=accept")
    assert found.left_out == 2
    assert [json.loads(line) for line in found.lines(0, 3, None, "")] == [
        {"user": "a", "item": "x", "type": "view", "ts": 1672531200000},
        {"user": "b", "item": "x", "type": "like", "ts": 1672617600000},
        {"user": "a", "item": "y", "type": "share", "ts": 1672617600000},
    ]
    assert found.seconds == 86_400


def test_ratings_keep_their_value_and_a_type_that_is_not_named_stays_so(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text("1\t2\t3.5\t875747190\n")
    found = read(path, "source.preset=movielens", "events.rating_rule=threshold",
                 "events.zero_weight=ignore")  # fmt: skip
    assert json.loads(found.lines(0, 1, 5, "r-")[0]) == {
        "user": "1", "item": "2", "type": "rating", "value": 3.5, "ts": 5,
    }  # fmt: skip
    path.write_text('{"user":7,"item":"x","ts":1700000000,"id":"k"}\n')
    assert json.loads(read(path).lines(0, 1, 5, "r-")[0]) == {
        "user": "7", "item": "x", "ts": 5, "id": "r-k",
    }  # fmt: skip


def test_each_event_of_a_line_is_replayed_at_its_own_time(tmp_path: Path) -> None:
    path = tmp_path / "sessions"
    path.write_text(
        '{"session":1,"events":[{"aid":5,"ts":1600000000000,"type":"clicks"},'
        '{"aid":6,"ts":1600000009000,"type":"orders"},{"ts":1600000001000,"type":"clicks"}]}\n'
        '{"session":2,"events":[{"aid":5,"ts":1600000005000,"type":"carts"}]}\n'
    )
    found = read(path, "source.preset=otto")
    assert (found.users, found.items, found.left_out) == (["1", "2", "1"], ["5", "5", "6"], 1)
    assert found.types == ["click", "cart", "purchase"]


def test_what_cannot_be_replayed(tmp_path: Path) -> None:
    path = tmp_path / "events"
    path.write_text('{"user":"a","item":"x"}\n')
    with pytest.raises(SourceError, match="none of 1 lines is an event with a time"):
        read(path)
    path.write_text('{"user":"a","item":"x","ts":1600000000}\n' * 5)
    with pytest.raises(SourceError, match=r"more than 4 events, .* split them by time"):
        read(path, most=4)


def test_where_events_go_is_where_the_job_reads() -> None:
    def config(*settings: str) -> Config:
        return load(None, settings, {}).config

    kafka = config("source.kind=kafka", "source.brokers=k:1,l:2", "source.topic=clicks")
    assert target_of(kafka, "") == "kafka://k:1,l:2/clicks"
    watched = config("source.kind=directory", "source.paths=in")
    assert target_of(watched, "") == "in/"
    assert target_of(watched, "out/") == "out/"


def test_a_long_replay_is_told_how_to_be_short() -> None:
    assert announced(recording([0, 1000]), 1.0) == [
        "2 events from 1970-01-01T00:00:00Z to 1970-01-01T00:00:01Z: 0:01 at --speed 1"
    ]
    assert announced(recording([0, 86_400_000]), 2.0)[1] == "--speed 1440 would take a minute"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, target = tmp_path / "events", tmp_path / "inbox"
    path.write_text('{"user":"b","item":"x","ts":1600000009}\n{"user":"a","item":"x","ts":16e8}\n')
    with pytest.raises(SystemExit) as ended:
        main(["replay", str(path), "--speed", "1e6", "--to", str(target)])
    assert ended.value.code == 0
    told = capsys.readouterr().err
    assert f"2 events written to {target}/ in" in told
    assert f"learn from them: millirec run {target}/ --set source.kind=directory" in told
    lines = [line for file in sorted(target.iterdir()) for line in file.read_text().splitlines()]
    assert [json.loads(line)["user"] for line in lines] == ["a", "b"]


@pytest.mark.parametrize("speed", ["0", "-1", "inf", "nan"])
def test_speeds_that_are_none(speed: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["replay", "events", f"--speed={speed}"])
    assert ended.value.code == 2
    assert "--speed is" in capsys.readouterr().err


def test_ctrl_c_ends_it_with_a_summary(tmp_path: Path) -> None:
    path, target = tmp_path / "events", tmp_path / "inbox"
    path.write_text('{"user":"a","item":"x","ts":1}\n{"user":"a","item":"y","ts":1600000000}\n')
    command = ["replay", str(path), "--set", "events.earliest=1970-01-01T00:00:00Z", "--to"]
    with subprocess.Popen(
        [sys.executable, "-m", "flink_app", *command, str(target)],
        cwd=ROOT, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        while not list(target.glob("*.jsonl")):
            assert process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "1 of 2 events written" in told


def test_a_config_error_for_a_target_without_topic() -> None:
    with pytest.raises(ConfigError, match="kafka://host:port/topic"):
        writer_to(target_of(Config(), "kafka://host:1"))
