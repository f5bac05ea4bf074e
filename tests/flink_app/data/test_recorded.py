"""Lines of recorded files come as the job's source cuts and decodes them."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from flink_app.data.recorded import Block, files_of, print_lines, read_blocks
from udfs.errors import SourceError


def test_blocks_are_of_one_file_and_know_their_lines(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes("a\r\nü\n\nb".encode() + b"\xff\n")
    two.write_bytes(b"c\x0bd\x85\n")
    assert list(read_blocks([one, two], size=3)) == [
        Block(one, 1, ["a", "ü", ""]),
        Block(one, 4, ["b\ufffd"]),
        Block(two, 1, ["c\x0bd\ufffd"]),
    ]


def test_what_ends_in_gz_is_decompressed_and_progress_is_in_bytes_of_the_disk(
    tmp_path: Path,
) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed.gz"
    plain.write_bytes(b"x" * 99 + b"\n")
    packed.write_bytes(gzip.compress(b"y\n" * 5000))
    read: list[int] = []
    blocks = list(read_blocks([plain, packed], on_bytes=read.append))
    assert [len(block.lines) for block in blocks] == [1, 5000]
    assert read[0] == 100
    assert read[-1] == 100 + packed.stat().st_size


def test_a_folder_stands_for_its_files_but_not_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.jsonl", "a.jsonl", ".part", "_tmp/x", "b/.y"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}\n")
    assert files_of([tmp_path]) == [tmp_path / "a.jsonl", tmp_path / "b/2.jsonl"]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "torn.gz").write_bytes(gzip.compress(b"x\n" * 9999)[:30])
    for name, words in (
        ("absent", "No such file"),
        ("empty", "no file in the folder"),
        ("torn.gz", "ends in the middle of gzip stream 1"),
    ):
        with pytest.raises(SourceError, match=words):
            list(read_blocks([tmp_path / name]))


def test_lines_are_printed_as_the_job_reads_them(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "a").write_bytes(gzip.compress('[{\n"user": "ü"\n}]'.encode("utf-16")))
    (tmp_path / "b").write_bytes(b"caf\xe9\r\n")
    print_lines([tmp_path / "a", tmp_path / "b"], "latin-1")
    assert capfdbinary.readouterr().out.decode() == '{ "user": "ü" }\ncafé\n'
