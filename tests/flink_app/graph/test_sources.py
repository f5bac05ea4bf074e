"""The tables that Flink reads from: paths as they are, charsets by Java's names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flink_app.config import load
from flink_app.graph.sources import Source, create_tables, source_of


def source(*settings: str) -> Source:
    return source_of(load(None, settings, {}).config)


@pytest.mark.parametrize("name", ["my José dir", "50%", "%20", "it's", "#a?b", "a:b=c,d"])
def test_a_path_is_not_decoded(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.touch()
    found = source_of(load(None, [], {}).reading([str(path)]).config)
    assert found.paths == (f"file://{path}",)
    quoted = str(path).replace("'", "''")
    assert f"'path' = 'file://{quoted}'" in create_tables(found, "t")[0]


def test_an_encoding_becomes_javas_charset(tmp_path: Path) -> None:
    files = [f"source.paths={tmp_path}", "source.encoding=latin-1"]
    assert source(*files).options["raw.charset"] == "ISO-8859-1"
    kafka = source("source.kind=kafka", "source.encoding=gbk").options
    assert kafka["value.raw.charset"] == "GBK" and "raw.charset" not in kafka
    other = ["source.kind=flink", "source.options.connector=datagen", "source.encoding=cp1252"]
    assert source(*other).options["raw.charset"] == "windows-1252"
    assert not [key for key in source(files[0]).options if "charset" in key]


def test_a_watched_folder_leaves_out_what_flink_reads_wrongly(tmp_path: Path) -> None:
    found = source(f"source.paths={tmp_path}", "source.kind=directory")
    # Java's notation of this pattern is Python's.
    pattern = re.compile(found.options["source.path.regex-pattern"])
    read = ["/a/b.jsonl", "/a.xz/b", "/a/b.gz", "/a/b.xz (unpacked)", "/a/\n.csv"]
    left = ["/a/b.xz", "/a/b.XZ", "/a/b.bz2", "/a/b.zst", "/a/b.GZ", "/a/\n.xz"]
    assert [path for path in [*read, *left] if pattern.fullmatch(path)] == read
