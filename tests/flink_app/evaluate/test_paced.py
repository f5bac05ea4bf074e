"""Paced events: a job that learns late, and a clock that the test moves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from flink_app.console.totals import Totals
from flink_app.evaluate.paced import AHEAD_S, RATE, play

COUNT = 2_000


class Job:
    """Learns `per_s` events/s of those in its folder, after `start_s` seconds."""

    def __init__(self, folder: Path, per_s: float, start_s: float = 10.0) -> None:
        self.folder, self.per_s, self.start_s = folder, per_s, start_s
        self.now = self.learned = self.waiting = 0.0
        self.lines: list[str] = []
        self.read: set[str] = set()
        self.begun_with = 0

    def totals(self) -> Totals | None:
        if self.now < self.start_s:
            return None
        return Totals(received=len(self.lines), learned=int(self.learned))

    def wait(self, seconds: float) -> None:
        self.now += seconds
        for path in sorted(self.folder.glob("*.jsonl")):
            if path.name not in self.read:
                self.lines += path.read_text().splitlines()
                os.utime(path, (1, 1))  # not every system notes that it was read
                self.read.add(path.name)
        if self.now < self.start_s:
            self.begun_with = len(self.lines)
        else:
            self.learned = min(self.learned + self.per_s * seconds, float(len(self.lines)))
            self.waiting = max(self.waiting, len(self.lines) - self.learned)


def played(tmp_path: Path, per_s: float) -> Job:
    events, folder = tmp_path / "events", tmp_path / "live"
    events.write_text("".join(f"{n}\n" for n in range(COUNT)))
    folder.mkdir()
    job = Job(folder, per_s)
    play(events, folder, job.totals, lambda: None, lambda: job.now, job.wait)
    assert [int(line) for line in job.lines] == list(range(COUNT))
    assert job.learned == COUNT
    assert job.begun_with == 1, "nothing more is written before the job runs"
    return job


def test_a_job_that_keeps_up_gets_events_at_the_rate_of_a_live_one(tmp_path: Path) -> None:
    job = played(tmp_path, 10 * RATE)
    assert job.now - job.start_s == pytest.approx(COUNT / RATE, rel=0.02)
    assert job.waiting < 0.05 * RATE


def test_a_slow_job_is_waited_for(tmp_path: Path) -> None:
    job = played(tmp_path, RATE / 5)
    assert job.now - job.start_s == pytest.approx(5 * COUNT / RATE, rel=0.02)
    assert job.waiting <= AHEAD_S * RATE


def test_a_job_that_has_ended_is_not_waited_for(tmp_path: Path) -> None:
    def check() -> None:
        raise RuntimeError("it has ended")

    (tmp_path / "events").write_text("one\n")
    with pytest.raises(RuntimeError, match="it has ended"):
        play(tmp_path / "events", tmp_path, lambda: None, check)
