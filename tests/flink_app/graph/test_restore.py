"""Which checkpoint a job is restored from; test_job has a real damaged one."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from flink_app.graph import restore
from flink_app.graph.restore import newest_checkpoint, whole_checkpoint
from udfs.errors import ConfigError


def damage(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    monkeypatch.setattr(restore, "_damage", lambda path: "gone" if Path(path).name in names else "")


def test_the_newest_finished_checkpoint(checkpoints: Path) -> None:
    newest = checkpoints / "one" / "chk-3"
    found = newest_checkpoint(str(checkpoints)), newest_checkpoint(checkpoints.as_uri())
    assert found == (str(newest), str(newest))


def test_damaged_checkpoints_are_skipped_with_a_warning(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    damage(monkeypatch)
    assert whole_checkpoint(str(checkpoints)) == (checkpoints / "one" / "chk-3").as_uri()
    damage(monkeypatch, "chk-3", "chk-2")
    with caplog.at_level(logging.WARNING):
        assert whole_checkpoint(str(checkpoints)) == (checkpoints / "one" / "chk-1").as_uri()
    assert [record.message for record in caplog.records] == [
        f"{checkpoints}/one/chk-3 is damaged: gone. Trying the one before it.",
        f"{checkpoints}/two/chk-2 is damaged: gone. Trying the one before it.",
    ]


def test_no_intact_checkpoint_is_an_error(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(monkeypatch, "chk-1", "chk-2", "chk-3")
    with pytest.raises(ConfigError, match=r"all 3 checkpoints in .* are damaged"):
        whole_checkpoint(str(checkpoints))
    with pytest.raises(ConfigError, match="no finished checkpoint"):
        whole_checkpoint(str(checkpoints / "two" / "chk-2"))
    with pytest.raises(ConfigError, match=r"state\.checkpoints is empty"):
        whole_checkpoint("")


@pytest.mark.parametrize("name", ["my José dir", "50%", "a%20b", "#a?b", "_x", "a:b=c,d"])
def test_checkpoints_are_found_below_any_name(
    checkpoints: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage(monkeypatch)
    below = checkpoints.rename(checkpoints.with_name(name))
    newest = below / "one" / "chk-3"
    for address in (str(below), below.as_uri(), f"file://{below}"):
        assert newest_checkpoint(address) == str(newest)
    assert whole_checkpoint(str(below)) == f"file://{newest}"


def test_checkpoints_of_earlier_releases_are_found(checkpoints: Path) -> None:
    """They lie in a folder that has percents in its name."""
    checkpoints.rename(checkpoints.with_name("my%20Jos%C3%A9%20dir"))
    found = newest_checkpoint(str(checkpoints.with_name("my José dir")))
    assert Path(found) == checkpoints.with_name("my%20Jos%C3%A9%20dir") / "one" / "chk-3"
