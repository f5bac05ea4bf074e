"""The first lines of a file, however it is compressed, encoded and ended."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from udfs.errors import SourceError
from udfs.events.first_lines import first_lines

PACKED: dict[str, Callable[[bytes], bytes]] = {
    ".csv": bytes,
    ".csv.gz": gzip.compress,
    ".CSV.GZ": gzip.compress,
    ".csv.bz2": bz2.compress,
    ".csv.xz": lzma.compress,
}


@pytest.mark.parametrize("suffix", PACKED)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_the_first_line_that_is_not_blank(
    suffix: str, encoding: str, end: str, tmp_path: Path
) -> None:
    path = tmp_path / f"my José dir{suffix}"
    path.write_bytes(PACKED[suffix](f"\n \r\nuser,größe{end}".encode(encoding)))
    assert first_lines(str(path)) == ["user,größe"]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le", "cp1252", "utf-8"])
def test_an_encoding_that_no_mark_tells(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("größe,user\nx,a\n".encode(encoding))
    assert first_lines(str(path), encoding) == ["größe,user", "x,a"]


def test_a_file_of_several_streams(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"user,") + gzip.compress(b"item\na,x\n"))
    assert first_lines(str(path)) == ["user,item", "a,x"]


def test_no_line(tmp_path: Path) -> None:
    empty, pipe = tmp_path / "empty", tmp_path / "pipe"
    empty.write_text("\n\r\n")
    os.mkfifo(pipe)
    assert first_lines(str(empty)) == first_lines(str(pipe)) == []


def test_a_file_without_line_ends_is_not_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"x" * 3_000_000)
    assert list(map(len, first_lines(str(path)))) == [1 << 20]
    path.write_text("a\n\n" * 99)
    assert first_lines(str(path)) == ["a"] * 20


@pytest.mark.parametrize("name", ["absent.csv", "a-cut.gz"])
def test_what_cannot_be_read_is_named(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    if name != "absent.csv":
        path.write_bytes(gzip.compress(os.urandom(999))[:99])
    with pytest.raises(SourceError, match=f"{name} cannot be read"):
        first_lines(str(path))
