"""Writers of files and watched directories."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from flink_app.writers.files import DirectoryWriter, FileWriter
from udfs.errors import ServiceError


def test_a_file_holds_the_lines_in_order_and_replaces_an_older_one(tmp_path: Path) -> None:
    path = tmp_path / "new" / "events.jsonl"
    for batches in ([[b"old"]], [[b"a", b"b"], [], [b"c"]]):
        with FileWriter(path) as writer:
            for batch in batches:
                writer.write(batch)
    assert path.read_bytes() == b"a\nb\nc\n"


def test_flush_makes_lines_visible_before_the_file_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    with FileWriter(path) as writer:
        writer.write([b"a"])
        writer.flush()
        assert path.read_bytes() == b"a\n"


def test_each_batch_becomes_one_file_and_names_sort_in_order(tmp_path: Path) -> None:
    with DirectoryWriter(tmp_path / "live") as writer:
        for number in range(12):
            writer.write([b"%d" % number] * 2)
            writer.write([])
    with DirectoryWriter(tmp_path / "live"):
        pass
    files = sorted((tmp_path / "live").iterdir())
    assert all(file.suffix == ".jsonl" and file.name[0] != "." for file in files)
    assert [file.read_bytes() for file in files] == [b"%d\n%d\n" % (n, n) for n in range(12)]


def test_writers_begun_at_once_do_not_replace_each_others_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_700_000_000_000_000_000)
    for number in range(3):
        with DirectoryWriter(tmp_path) as writer:
            writer.write([b"%d" % number])
    assert sorted(file.read_bytes() for file in tmp_path.iterdir()) == [b"0\n", b"1\n", b"2\n"]


def test_a_durable_batch_is_synced_before_its_name_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[list[str]] = []
    monkeypatch.setattr(
        os, "fsync", lambda _: synced.append([file.name[0] for file in tmp_path.iterdir()])
    )
    DirectoryWriter(tmp_path).write([b"a"])
    assert synced == []
    (first,) = tmp_path.iterdir()
    first.unlink()
    DirectoryWriter(tmp_path, durable=True).write([b"a"])
    (name,) = (file.name[0] for file in tmp_path.iterdir())
    assert synced == [["."], [name]]  # the file by its hidden name, then the folder


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    batch = [b"x" * 200_000] * 5
    whole = 5 * 200_001
    writer = DirectoryWriter(tmp_path)
    done = threading.Event()

    def write() -> None:
        for _ in range(40):
            writer.write(batch)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    sizes = set()
    while not done.is_set():
        sizes |= {file.stat().st_size for file in tmp_path.glob("[!.]*")}
    thread.join()
    sizes |= {file.stat().st_size for file in tmp_path.iterdir()}
    assert sizes == {whole}


def test_a_path_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    with pytest.raises(ServiceError, match=r"cannot be written to .*file: File exists"):
        DirectoryWriter(blocked)
    with pytest.raises(ServiceError, match=r"cannot be written to .*file/x/y: .*Choose another"):
        FileWriter(blocked / "x" / "y")
    with pytest.raises(ServiceError, match="Is a directory"):
        FileWriter(tmp_path)


def test_a_directory_that_disappears_is_reported(tmp_path: Path) -> None:
    writer = DirectoryWriter(tmp_path / "live")
    (tmp_path / "live").rmdir()
    with pytest.raises(ServiceError, match="live: No such file or directory"):
        writer.write([b"a"])


def test_a_full_disk_is_reported() -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full to simulate a full disk")
    writer = FileWriter(full)
    writer.write([b"a"])
    with pytest.raises(ServiceError, match="No space left"):
        writer.flush()
    with pytest.raises(ServiceError, match="No space left"):
        writer.close()
