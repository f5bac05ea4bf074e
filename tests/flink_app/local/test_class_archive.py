"""The archive of Flink's classes: made from a run's list, named to the next, left out otherwise."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from flink_app.local import class_archive
from flink_app.local.class_archive import ClassArchive


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Java that writes its arguments where the archive is to be."""
    monkeypatch.setattr(class_archive, "own_folder", lambda: tmp_path / "own")
    monkeypatch.delenv("FLINK_LIB_DIR", raising=False)
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(
        '#!/bin/sh\nfor one; do case "$one" in -XX:SharedArchiveFile=*)'
        ' echo "$@" >"${one#*=}";; esac; done\n'
    )
    java.chmod(0o700)
    return tmp_path / "java"


def test_the_planner_lies_beside_the_other_jars(home: Path) -> None:
    lib = Path(ClassArchive(home).environment["FLINK_LIB_DIR"])
    names = {file.name for file in lib.iterdir()}
    assert "flink-table-planner.jar" in names
    assert not any("loader" in name for name in names)
    assert all(file.exists() for file in lib.iterdir())


def test_the_list_of_one_run_becomes_the_archive_of_the_next(home: Path) -> None:
    first = ClassArchive(home)
    (listed,) = (one for one in first.options if "DumpLoadedClassList" in one)
    Path(listed.partition("=")[2]).write_text("a/B id: 1\nc/D id: 2 source: /tmp/x.jar\n")
    first.make(["java", "-cp", "a.jar:b.jar", "Main"])
    end = time.monotonic() + 60
    while "-XX:SharedArchiveFile=" not in " ".join(ClassArchive(home).options):
        assert time.monotonic() < end
        time.sleep(0.01)
    (named,) = (one for one in ClassArchive(home).options if "SharedArchiveFile" in one)
    written = Path(named.partition("=")[2]).read_text()
    assert "-Xshare:dump" in written
    assert written.endswith("-cp a.jar:b.jar\n")


def test_without_a_folder_java_starts_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_archive, "own_folder", lambda: None)
    archive = ClassArchive(home)
    archive.make(["java", "-cp", "a.jar", "Main"])
    assert not archive.options and not archive.environment


def test_a_folder_of_jars_of_ones_own_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLINK_LIB_DIR", os.sep)
    assert not ClassArchive(home).environment
