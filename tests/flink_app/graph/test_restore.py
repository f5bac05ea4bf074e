"""Which checkpoint a job is restored from; test_job has a real damaged one."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from flink_app.graph import restore
from flink_app.graph.restore import latest_checkpoint, whole_checkpoint
from udfs.errors import ConfigError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Checkpoints 1 to 3 of two jobs, 3 the newest; 4 is not finished."""
    for number, job in ((1, "one"), (2, "two"), (3, "one"), (4, "one")):
        checkpoint = tmp_path / job / f"chk-{number}"
        checkpoint.mkdir(parents=True)
        if number < 4:
            (checkpoint / "_metadata").touch()
            os.utime(checkpoint / "_metadata", (number, number))
    return tmp_path


def damage(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(restore, "_damage", lambda path: "gone" if path.name in names else "")


def test_the_newest_finished_checkpoint(folder: Path) -> None:
    newest = folder / "one" / "chk-3"
    assert latest_checkpoint(str(folder)) == latest_checkpoint(folder.as_uri()) == newest


def test_damaged_checkpoints_are_skipped_with_a_warning(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    damage(monkeypatch)
    assert whole_checkpoint(str(folder)) == (folder / "one" / "chk-3").as_uri()
    damage(monkeypatch, "chk-3", "chk-2")
    with caplog.at_level(logging.WARNING):
        assert whole_checkpoint(str(folder)) == (folder / "one" / "chk-1").as_uri()
    assert [record.message for record in caplog.records] == [
        f"{folder}/one/chk-3 is damaged: gone. Trying the one before it.",
        f"{folder}/two/chk-2 is damaged: gone. Trying the one before it.",
    ]


def test_no_intact_checkpoint_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    damage(monkeypatch, "chk-1", "chk-2", "chk-3")
    with pytest.raises(ConfigError, match=r"all 3 checkpoints in .* are damaged"):
        whole_checkpoint(str(folder))
    with pytest.raises(ConfigError, match="no finished checkpoint"):
        whole_checkpoint(str(folder / "two" / "chk-2"))
    with pytest.raises(ConfigError, match=r"state\.checkpoints is empty"):
        whole_checkpoint("")
    with pytest.raises(ConfigError, match="only looks on this machine"):
        latest_checkpoint("s3://bucket/checkpoints")


@pytest.mark.parametrize("name", ["my José dir", "50%", "a%20b", "#a?b", "_x", "a:b=c,d"])
def test_checkpoints_are_found_below_any_name(
    folder: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(monkeypatch)
    below = folder.rename(folder.with_name(name))
    newest = below / "one" / "chk-3"
    assert latest_checkpoint(str(below)) == latest_checkpoint(below.as_uri()) == newest
    assert latest_checkpoint(f"file://{below}") == newest
    assert whole_checkpoint(str(below)) == f"file://{newest}"


def test_checkpoints_of_earlier_releases_are_found(folder: Path) -> None:
    """They lie in a folder that has percents in its name."""
    folder.rename(folder.with_name("my%20Jos%C3%A9%20dir"))
    found = latest_checkpoint(str(folder.with_name("my José dir")))
    assert found == folder.with_name("my%20Jos%C3%A9%20dir") / "one" / "chk-3"
