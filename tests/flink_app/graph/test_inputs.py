"""What Flink would skip or read wrongly is told from what it reads right."""

from __future__ import annotations

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from flink_app.graph.inputs import charset, files_below, is_left_alone, name_oddity, oddity, refuse
from udfs.errors import SourceError

TEXT = b'{"user":"a","item":"x"}\n'
ZSTD = zstandard.ZstdCompressor().compress


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("e.jsonl", TEXT, ""),
        ("my é%20.jsonl", b"\xef\xbb\xbf" + TEXT, ""),
        ("e", b"", ""),
        ("e.gz", gzip.compress(TEXT, mtime=0) * 2, ""),
        ("e.gzip", gzip.compress(TEXT, mtime=0), ""),
        ("e.bz2", bz2.compress(TEXT), ""),
        ("_e", TEXT, "named with _ at the front"),
        (".e", TEXT, "named with . at the front"),
        ("a\nb", TEXT, "line feed"),
        ("a\\b", TEXT, "backslash"),
        ("caf\udce9", TEXT, "not UTF-8"),
        ("e.jsonl", gzip.compress(TEXT, mtime=0), "does not end in .gz"),
        ("e.GZ", gzip.compress(TEXT, mtime=0), "does not end in .gz"),
        ("e.bz2", bz2.compress(TEXT) * 2, "several streams"),
        ("e.BZ2", bz2.compress(TEXT), "bzip2"),
        ("e.xz", lzma.compress(TEXT), "xz"),
        ("e.zst", ZSTD(TEXT), "zstd"),
        ("e.gz", TEXT, "is not compressed"),
        ("e.deflate", TEXT, "is not compressed"),
        ("e.json", b'[\n {\n "user": 1}]', "over several lines"),
        ("e.jsonl", TEXT.decode().encode("utf-16"), "UTF-16"),
    ],
)
def test_a_file_that_flink_cannot_read_has_a_reason(
    tmp_path: Path, name: str, data: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(data)
    found = oddity(tmp_path / name, "")
    assert words in found and bool(found) == bool(words)


def test_an_encoding_is_javas_or_a_reason(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"caf\xe9\n")
    assert oddity(tmp_path / "a", "latin-1") == ""
    assert oddity(tmp_path / "a", "cp1258") == "it is encoded as CP1258"
    (tmp_path / "b").write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9\n")
    assert oddity(tmp_path / "b", "latin-1") == "it is encoded as UTF-8"
    assert charset("") == {} and charset("L1") == {"raw.charset": "ISO-8859-1"}
    for name in ("utf-16", "cp1258", "no such"):
        with pytest.raises(SourceError, match=r"source\.encoding is"):
            charset(name)


def test_a_folder_stands_for_what_flink_lists(tmp_path: Path) -> None:
    root = tmp_path / "_inbox"
    for name in ("b/2", "a", ".part", "_tmp/x", "b/.y"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "z").touch()
    (root / "link").symlink_to(tmp_path / "other")
    (root / "b" / "loop").symlink_to(root)
    found = [file.relative_to(root).as_posix() for file in files_below(root)]
    assert found == ["a", "b/2", "link/z"]
    assert name_oddity(root) and not name_oddity(root / "a")


def test_endings_that_are_left_alone() -> None:
    alone = ["a.xz", "a.BZ2", "a.zst", "a.GZ", "a\nb.xz"]
    assert [name for name in alone if is_left_alone(Path(name))] == alone
    read = ["a.gz", "xz", "a.xz (unpacked)", "a.xz.jsonl", "GZ"]
    assert not [name for name in read if is_left_alone(Path(name))]


def test_the_sentence_says_what_to_do() -> None:
    text = str(refuse(Path("/a b/_x"), "it is hidden"))
    assert text.endswith("millirec lines '/a b/_x' > events.jsonl")
