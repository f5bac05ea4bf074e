"""What the job reads instead of what Flink cannot read holds the same lines."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import Config, load
from flink_app.graph.inputs import oddities
from flink_app.graph.sources import files_of, items_of, paths_of, source_of
from flink_app.local.redis_server import RedisServer
from flink_app.local.unpack import Readable, readable
from tests.flink_app.jobs import letters
from tests.flink_app.local.test_run import WAIT_S, events, millirec
from udfs.errors import SourceError
from udfs.events.text_files import open_lines

LINE = '{"user":"ü","item":"x"}'
HOSTILE = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
NAMES = st.sampled_from(["_x", ".x", "a\nb", "a\\b", "caf\udce9", "~", "a b", "50%"]) | HOSTILE


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config(*paths: str, **source: str) -> Config:
    settings = [f"source.{key}={value}" for key, value in source.items()]
    return load(None, settings, {}).reading(list(paths)).config


def lines_of(found: Readable) -> dict[str, list[str]]:
    """The lines that Flink reads, by the true path."""
    files = files_of(paths_of(found.config))
    assert not oddities(files, found.config.source.encoding)
    source_of(found.config)
    return {
        found.names.get(str(file), str(file)): [
            line for lines in open_lines(file) for line in lines
        ]
        for file in files
    }


def test_plain_files_are_flinks_own(tmp_path: Path) -> None:
    Path("my José dir").mkdir()
    Path("my José dir/a.gz").write_bytes(gzip.compress(LINE.encode()) * 2)
    Path("b").write_text(LINE)
    given = config("my José dir", "b")
    assert readable(given, print) == Readable(given, {})
    assert not (tmp_path / ".millirec").exists()


@given(names=st.sets(NAMES, min_size=1, max_size=4))
def test_any_name_is_read(tmp_path_factory: pytest.TempPathFactory, names: set[str]) -> None:
    folder = tmp_path_factory.mktemp("names")
    names = {name for name in names if name not in (".", "..") and len(os.fsencode(name)) < 200}
    for name in names:
        (folder / name).write_text(LINE)
    paths = [str(folder / name) for name in sorted(names)]
    if paths:
        found = readable(config(*paths), print)
        assert lines_of(found) == {path: [LINE] for path in paths}
        found.remove()


def test_what_is_packed_is_unpacked_once_and_removed(tmp_path: Path) -> None:
    Path("in").mkdir()
    data = f"{LINE}\n".encode()
    Path("in/a.xz").write_bytes(lzma.compress(data) * 2)
    Path("in/b.json").write_text(json.dumps([json.loads(LINE)] * 3, indent=2))
    Path("in/c").write_text(f"{LINE}\n", encoding="utf-16")
    Path("in/d.GZ").write_bytes(gzip.compress(data) * 2)
    Path("in/_e").write_text("hidden")
    said: list[str] = []
    found = readable(config("in"), said.append)
    held = lines_of(found)
    assert {Path(name).name: len(lines) for name, lines in held.items()} == {
        "a.xz": 2, "b.json": 3, "c": 1, "d.GZ": 2,
    }  # fmt: skip
    assert all(Path(name).parent == tmp_path / "in" for name in held)
    assert len(said) == 1 and "unpacking 3 files" in said[0] and "a.xz, since it is" in said[0]
    # A job that is restored finds the same, and does it not again.
    assert readable(config("in"), said.append) == found and len(said) == 1
    Path("in/c").write_text(f"{LINE}\n{LINE}\n", encoding="utf-16")
    assert readable(config("in"), said.append).folders != found.folders
    found.remove()
    (folder,) = found.folders
    assert not folder.exists()


def test_files_of_items_are_unpacked_beside_those_of_events(tmp_path: Path) -> None:
    Path("a").write_text(LINE)
    Path("u.item.xz").write_bytes(lzma.compress("1|Café".encode("latin-1")))
    items = ["items.kind=files", "items.paths=u.item.xz", "items.preset=movielens"]
    given = load(None, ["source.paths=a", *items], {}).config
    found = readable(given, print)
    assert found.config.source == given.source
    source = items_of(found.config)
    assert source is not None and "raw.charset" not in source.options
    (path,) = found.config.items.paths
    assert Path(path).read_text("utf-8").strip() == "1|Café"
    assert found.names == {path: str(tmp_path / "u.item.xz")}
    found.remove()
    assert not (tmp_path / ".millirec").exists()


def test_an_encoding_that_java_lacks_is_unpacked_too(tmp_path: Path) -> None:
    Path("a").write_bytes("ß\n".encode("cp1258"))
    Path("b").write_bytes("ß\n".encode("utf-16-be"))
    for file, name in (("a", "cp1258"), ("b", "utf-16-be")):
        assert lines_of(readable(config(file, encoding=name), print)) == {
            str(tmp_path / file): ["ß"]
        }


def test_a_watched_folder_of_any_name(tmp_path: Path) -> None:
    for name in ("_inbox", "a\\b"):
        Path(name).mkdir()
        (Path(name) / "1.jsonl").write_text(LINE)
        found = readable(config(name, kind="directory"), print)
        source_of(found.config)
        [path] = found.config.source.paths
        assert (Path(path) / "1.jsonl").read_text() == LINE
        assert found.names == {path: str(tmp_path / name)}
        assert readable(config(name, kind="directory"), print).config == found.config


def test_strict_mode_reads_one_file_of_any_kind() -> None:
    Path("_a.xz").write_bytes(lzma.compress(LINE.encode()))
    strict = load(None, ["job.strict=true"], {}).reading(["_a.xz"]).config
    assert list(lines_of(readable(strict, print)).values()) == [[LINE]]


def test_what_cannot_be_read_is_said_before_java_starts() -> None:
    Path("torn.xz").write_bytes(lzma.compress(LINE.encode() * 99)[:-9])
    os.mkfifo("pipe")
    for name, words in (
        ("torn.xz", "torn.xz cannot be read: it ends in the middle of xz stream 1"),
        ("absent", "no file or folder .*absent"),
        ("pipe", "neither a file nor a folder"),
    ):
        with pytest.raises(SourceError, match=words):
            readable(config(name), print)
    with pytest.raises(SourceError, match="millirec lines"):  # on a cluster
        Path("_x").touch()
        source_of(config("_x"))


@pytest.mark.job
def test_a_run_reads_every_line_of_any_file(tmp_path: Path) -> None:
    """In a folder of an odd name: files that Flink reads itself, and others that it does not."""
    here = tmp_path / "my José dir, 50%#"
    here.mkdir()
    native = ["a b", "é", "e\u0301", "a=b:c", "%20", "it's", '"q"', "#h", "a?b;c", "[x]{y}*", "~x"]
    for number, name in enumerate(native):
        (here / name).write_text(events(2, 2 * number) + "bad\n")
    (here / "two.gz").write_bytes(gzip.compress(events(2, 50).encode()) * 2)
    with RedisServer() as server:
        out, letters = _ran(here, server.url, *native, "two.gz")
        assert "37 lines received" in out and "  24 learned" in out and "   2 duplicates" in out
        assert letters == {str(here / name): 1 for name in native}
        data = [events(2, number).encode() for number in range(100, 130, 2)]
        (here / "two.bz2").write_bytes(bz2.compress(data[0]) + bz2.compress(data[1]))
        (here / "_x.GZ").write_bytes(gzip.compress(data[2]))
        (here / "x.xz").write_bytes(lzma.compress(data[3]) + lzma.compress(data[4]))
        (here / "x.zst").write_bytes(zstandard.ZstdCompressor().compress(data[5]))
        (here / ".utf-16").write_bytes((data[6].decode() + "bad\n").encode("utf-16"))
        (here / "caf\udce9").write_bytes(data[7])
        (here / "pretty").write_text(json.dumps([json.loads(events(1, 200))], indent=2))
        (here / "plain").write_bytes(data[8] + b"bad")
        odd = ["two.bz2", "_x.GZ", "x.xz", "x.zst", ".utf-16", "caf\udce9", "pretty", "plain"]
        out, letters = _ran(here, server.url, *odd)
    assert "  19 learned" in out and letters == {str(here / ".utf-16"): 1, str(here / "plain"): 1}
    assert not (here / ".millirec").exists()


def _ran(here: Path, url: str, *files: str) -> tuple[str, dict[str, int]]:
    """What a run prints, and the dead letters of each file."""
    folder = f"dead % {len(files)}"
    run = millirec(here, url, "run", *files, "--set", f"dead_letters.path={folder}")
    out, err = run.communicate(timeout=WAIT_S)
    assert run.returncode == 0, err
    assert "accounted for: all" in out
    return out, Counter(letter["source"] for letter in letters(here / folder))
