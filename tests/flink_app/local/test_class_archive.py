"""The archive of Flink's classes: made from a run's list, named to the next, left out otherwise."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

import pytest

from flink_app.local import class_archive
from flink_app.local.class_archive import ClassArchive

LIST = "a/B id: 1\norg/apache/flink/runtime/taskmanager/Task id: 2\nc/D id: 3 source: /tmp/x.jar\n"


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
    Path(listed.partition("=")[2]).write_text(LIST)
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


def test_jars_that_were_taken_away_come_back(home: Path) -> None:
    lib = Path(ClassArchive(home).environment["FLINK_LIB_DIR"])
    names = sorted(file.name for file in lib.iterdir())
    (lib / "flink-table-planner.jar").unlink()
    assert (
        sorted(
            file.name for file in Path(ClassArchive(home).environment["FLINK_LIB_DIR"]).iterdir()
        )
        == names
    )


def test_each_start_has_a_list_of_its_own(home: Path) -> None:
    assert ClassArchive(home)._list != ClassArchive(home)._list


def test_a_run_without_a_job_makes_no_archive(home: Path) -> None:
    first = ClassArchive(home)
    first._list.write_text("a/B id: 1\n")
    first.make(["java", "-cp", "a.jar", "Main"])
    assert not first._list.exists()
    assert "DumpLoadedClassList" in " ".join(ClassArchive(home).options)


def test_what_nobody_uses_any_more_is_removed(home: Path) -> None:
    folder = ClassArchive(home)._file.parent
    old, left = folder.parent / "old" / "lib", folder / "1.list"
    old.mkdir(parents=True)
    os.utime(old.parent, (0, 0))
    left.touch()
    ClassArchive(home)
    assert not old.parent.exists() and left.exists()  # its Java may be running
    (folder / "flink.jsa").touch()
    ClassArchive(home)
    assert not left.exists()


def test_a_full_disk_is_left_as_it_was(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def extract(packed: zipfile.ZipFile, name: str, folder: Path) -> None:
        (folder / name).write_bytes(b"half")
        raise OSError("no space left")

    monkeypatch.setattr(zipfile.ZipFile, "extract", extract)
    archive = ClassArchive(home)
    assert not archive.options and not archive.environment
    assert not list((home.parent / "own").rglob("*.jar"))
