"""Compressed files in a watched folder are unpacked beside themselves, or said to be unread."""

from __future__ import annotations

import lzma
from pathlib import Path

from flink_app.local.arrivals import SUFFIX, Arrivals


def test_what_comes_is_unpacked_once(tmp_path: Path) -> None:
    arrivals, warned = Arrivals(tmp_path, ""), list[str]()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.XZ").write_bytes(lzma.compress(b"1\n") + lzma.compress(b"2"))
    (tmp_path / "b.jsonl").touch()
    arrivals.look(warned.append)
    lines = tmp_path / "sub" / f"a.XZ{SUFFIX}"
    assert lines.read_text() == "1\n2\n"
    written = lines.stat().st_mtime_ns
    arrivals.look(warned.append)
    assert lines.stat().st_mtime_ns == written and not warned
    assert sorted(file.name for file in tmp_path.iterdir()) == ["b.jsonl", "sub"]


def test_a_file_that_grows_is_waited_for_and_one_that_is_torn_is_named(tmp_path: Path) -> None:
    arrivals, warned = Arrivals(tmp_path, ""), list[str]()
    data, file = lzma.compress(b"1\n" * 9), tmp_path / "a.xz"
    for size in (9, 40):
        file.write_bytes(data[:size])
        arrivals.look(warned.append)
    assert not warned
    for _ in range(3):
        arrivals.look(warned.append)
    assert len(warned) == 1 and "a.xz cannot be read: it ends in the middle" in warned[0]
    assert list(arrivals.unread) == [file]
    file.write_bytes(data)
    arrivals.look(warned.append)
    assert not arrivals.unread and (tmp_path / f"a.xz{SUFFIX}").read_text() == "1\n" * 9


def test_it_looks_in_a_thread(tmp_path: Path) -> None:
    (tmp_path / "a.xz").write_bytes(lzma.compress(b"1"))
    arrivals = Arrivals(tmp_path, "latin-1")
    arrivals.start(print)
    arrivals.stop()
    assert (tmp_path / f"a.xz{SUFFIX}").read_bytes() == b"1\n"
