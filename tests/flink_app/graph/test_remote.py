"""Flink's file systems, on this machine's files; tests/deploy/stack/test_storage.py has others."""

from __future__ import annotations

from pathlib import Path

import pytest

from flink_app.graph import remote
from flink_app.graph.environment import prepare_process
from flink_app.graph.restore import newest_checkpoint, whole_checkpoint
from udfs.errors import ConfigError, ServiceError, SourceError


@pytest.fixture(autouse=True, scope="module")
def _java() -> None:
    prepare_process()


def test_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jsonl").write_text("12345")
    (tmp_path / "in" / ".hidden").touch()
    root = f"file:{tmp_path}"
    found = remote.entry(f"{root}/in/a.jsonl")
    assert found is not None
    assert (found.name, found.folder, found.size) == ("a.jsonl", False, 5)
    assert remote.entry(f"{root}/none") is None
    assert [one.name for one in remote.entries(root)] == ["in"]
    assert [one.name for one in remote.files_below(root)] == ["a.jsonl"]
    assert [one.name for one in remote.files_below(f"{root}/in/a.jsonl")] == ["a.jsonl"]


def test_what_must_be_there(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    folder, file = f"file:{tmp_path}", f"file:{tmp_path}/a"
    remote.require([folder, file], "source.paths")
    with pytest.raises(SourceError, match=r"nothing at file:.*/b: correct source\.paths"):
        remote.require([f"{folder}/b"], "source.paths")
    with pytest.raises(SourceError, match="a is not a folder"):
        remote.require([file], "source.paths", folders=True)
    with pytest.raises(SourceError, match=r"is a folder: job\.strict"):
        remote.require([folder], "source.paths", file=True)


def test_a_file_system_that_is_not_there() -> None:
    with pytest.raises(ServiceError, match=r"ftp9://host/a cannot be looked at: .*ftp9"):
        remote.entry("ftp9://host/a")


def test_checkpoints_newest_first(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = f"file:{checkpoints}"
    found = remote.checkpoints(root)
    assert found == [f"{root}/{name}" for name in ("one/chk-3", "two/chk-2", "one/chk-1")]
    monkeypatch.setattr("flink_app.graph.restore.is_local", lambda text: False)
    assert newest_checkpoint(root) == found[0]
    with pytest.raises(ConfigError, match=r"all 3 checkpoints in .* are damaged"):
        whole_checkpoint(root)
    with pytest.raises(ConfigError, match="no finished checkpoint in file:"):
        newest_checkpoint(f"{root}/one")
