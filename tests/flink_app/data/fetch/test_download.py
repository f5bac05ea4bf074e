"""`millirec fetch` puts a pinned archive's files where they belong, or explains why it cannot."""

from __future__ import annotations

import contextlib
import hashlib
import io
import stat
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import get_args, get_type_hints

import msgspec
import pytest

from flink_app.cli import main
from flink_app.commands import data as commands
from flink_app.data.fetch import fetch
from flink_app.data.fetch.datasets import DATA_SETS, DataSet
from flink_app.data.fetch.download import unpack
from flink_app.data.fetch.networks import NETWORKS
from udfs.errors import ConfigError, ServiceError
from udfs.events.presets import PRESETS

FILES = {"ml-100k/u.data": "1\t2\t3\t875747190\n", "ml-100k/README": "terms", "other/x": "no"}


def archive(files: dict[str, str]) -> bytes:
    """An archive that is the same whenever it is made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, text in {"ml-100k/": "", **files}.items():
            made.writestr(zipfile.ZipInfo(name), text)
    return out.getvalue()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """An HTTP server on loopback over a folder with the archive."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "ml-100k.zip").write_bytes(archive(FILES))
    handler = partial(Quiet, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def data(server: str) -> DataSet:
    content = archive(FILES)
    return msgspec.structs.replace(
        DATA_SETS["ml-100k"],
        url=f"{server}/ml-100k.zip",
        size=len(content),
        md5=hashlib.md5(content).hexdigest(),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def test_it_is_fetched_unpacked_and_its_terms_are_shown(
    data: DataSet,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(DATA_SETS, "ml-100k", data)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["fetch", "ml-100k"])
    assert ended.value.code == 0
    folder = tmp_path / "data" / "ml-100k"
    files = {path.name: path.read_text() for path in folder.iterdir()}
    assert files == {"u.data": FILES["ml-100k/u.data"], "README": "terms"}
    assert [path.name for path in folder.parent.iterdir()] == ["ml-100k"]
    assert stat.S_IMODE((folder / "u.data").stat().st_mode) & 0o444 == 0o444
    printed = " ".join(capsys.readouterr().out.split())
    assert "Not for commercial use" in printed
    assert "doi:10.1145/2827872" in printed
    assert "terms in full: data/ml-100k/README" in printed
    assert "millirec run data/ml-100k/u.data --preset movielens" in printed


def test_what_is_there_is_not_fetched_again(data: DataSet, tmp_path: Path) -> None:
    unreachable = msgspec.structs.replace(data, url="http://127.0.0.1:9/ml-100k.zip")
    assert fetch(data, tmp_path / "d") == fetch(unreachable, tmp_path / "d")


def test_a_folder_with_something_else_is_left_alone(data: DataSet, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    fetch(data, tmp_path / "d")  # an empty one may be filled
    (tmp_path / "d" / "u.data").rename(tmp_path / "d" / "mine")
    with pytest.raises(ConfigError, match="holds something else: name another with --out"):
        fetch(data, tmp_path / "d")


@pytest.mark.parametrize("pin", ["md5", "sha256"])
def test_different_content_is_refused(data: DataSet, pin: str, tmp_path: Path) -> None:
    other = msgspec.structs.replace(data, **{pin: "0" * 32})
    with pytest.raises(ServiceError, match=f"is not the pinned file: its {pin} is"):
        fetch(other, tmp_path / "d" / "e")
    assert list((tmp_path / "d").iterdir()) == []


def test_an_address_that_does_not_answer_or_has_no_such_file(
    data: DataSet, server: str, tmp_path: Path
) -> None:
    for url, words in (
        ("http://127.0.0.1:9/ml-100k.zip", r"could not fetch .* go online, or fetch it by other"),
        (f"{server}/absent.zip", "absent.zip answered 404"),
    ):
        with pytest.raises(ServiceError, match=words):
            fetch(msgspec.structs.replace(data, url=url), tmp_path / "d")
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize("name", ["ml-100k/../../evil", "ml-100k/..\\evil", "/evil", "../evil"])
def test_nothing_is_written_outside_the_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(archive({"ml-100k/u.data": "", name: "evil"}))
    (tmp_path / "in").mkdir()
    with contextlib.suppress(ServiceError):
        unpack(tmp_path / "a.zip", "ml-100k", tmp_path / "in" / "deep")
    assert not list(tmp_path.rglob("*evil*"))


def test_a_file_that_is_not_an_archive_is_reported(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(ServiceError, match="cannot be unpacked"):
        unpack(tmp_path / "a.zip", "ml-100k", tmp_path / "out")


def test_every_data_set_is_pinned_and_offered() -> None:
    hints = get_type_hints(commands.fetch)
    assert list(get_args(hints["name"])) == [*DATA_SETS, *NETWORKS]
    for name, data in DATA_SETS.items():
        assert data.url == f"https://files.grouplens.org/datasets/movielens/{name}.zip"
        assert (len(bytes.fromhex(data.md5)), len(bytes.fromhex(data.sha256))) == (16, 32)
        assert data.preset in PRESETS
        assert data.size > 1_000_000
