"""Dead letters pass while they can be written, and are counted while they cannot."""

from __future__ import annotations

import logging
import os
from collections import namedtuple
from pathlib import Path

import pytest

from tests.udfs.flink import Subtask
from udfs.operators import letters
from udfs.operators.letters import Letters, obstacle


@pytest.fixture
def looks_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "_LOOK_S", 0.0)


def test_letters_are_kept_back_while_something_is_in_the_way(
    tmp_path: Path, looks_always: None, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "letters"
    flink = Subtask(Letters(str(folder)))
    assert flink.process(0, "a") == ["a"]
    folder.rename(tmp_path / "away")
    folder.touch()
    with caplog.at_level(logging.WARNING):
        assert [flink.process(0, letter) for letter in "bcd"] == [[], [], []]
        folder.unlink()
        assert [flink.process(0, letter) for letter in "ef"] == [["e"], ["f"]]
    assert flink.metrics.counters["letters_not_written"] == 3
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 2, "once when it begins, once when it ends"
    assert "only counted" in told[0] and str(folder) in told[0] and "3 were only" in told[1]


def test_the_last_bytes_of_a_disk_are_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = namedtuple("disk", "f_bavail f_frsize")
    monkeypatch.setattr(os, "statvfs", lambda _: disk(3, 4096))
    assert obstacle(str(tmp_path)) == f"{tmp_path}: the disk has 12 KiB left"


def test_looking_is_not_done_for_each_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []
    monkeypatch.setattr(letters, "obstacle", lambda folder: looked.append(folder) or "")
    monkeypatch.setattr("udfs.operators.letters.time.monotonic", lambda: 1.0)
    flink = Subtask(Letters(str(tmp_path)))
    for _ in range(300):
        flink.process(0, "x" * 10_000)
    assert len(looked) == 1 + 300 * 10_000 // letters._LOOK_BYTES
