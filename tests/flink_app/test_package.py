"""The archive holds the code and what was configured, and no secret."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from flink_app.config import load
from flink_app.package import compiled, configuration, write
from udfs.errors import ConfigError

SETTINGS = [
    "source.kind=kafka",
    "source.properties.sasl.jaas.config=geheim1",
    "source.properties.security.protocol=SSL",
    "redis.url=rediss://:geheim2@cache:6380/0",
    "redis.password=geheim3",
    "events.weights.view=0.1",
    "job.shards=16",
]


def test_the_packaged_configuration_means_the_same(tmp_path: Path) -> None:
    settings = [text for text in SETTINGS if "geheim" not in text]
    loaded = load(None, settings, {})
    text, left_out = configuration(loaded)
    file = tmp_path / "millirec.toml"
    file.write_text(text)
    assert left_out == []
    assert load(file, [], {}).config == loaded.config


class Archive(NamedTuple):
    path: Path
    told: str


@pytest.fixture(scope="module")
def packaged(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """One for all tests that only read it."""
    out = tmp_path_factory.mktemp("packaged") / "new" / "job.zip"
    return Archive(out, "\n".join(write(out, load(None, SETTINGS, {}))))


def test_no_secret_is_in_the_archive(packaged: Archive) -> None:
    out, told = packaged
    with zipfile.ZipFile(out) as archive:
        names = set(archive.namelist())
        everything = b"".join(archive.read(name) for name in names)
        readme = archive.read("README.txt").decode()
    code = {"flink_app/job.py", "udfs/operators/parse.py", "udfs/models/item_cf/wire.py"}
    assert {"main.py", "millirec.toml", "README.txt", *code} <= names
    assert not any(name.endswith(".pyc") or name.startswith("tests") for name in names)
    for room, kernel in (
        ("models/factors", "softmax_kernels.learn"),
        ("ranking", "ranker_kernels.rank"),
        ("feed", "apply_kernels.apply_changes"),
    ):
        found = [name for name in names if name.startswith(f"udfs/{room}/__pycache__/{kernel}-")]
        assert {name[-4:] for name in found} == {".nbi", ".nbc"}, "compiled, so no start does it"
    assert b"geheim" not in everything
    for name in ("source.properties.sasl.jaas.config", "redis.url", "redis.password"):
        assert name in told and name in readme
    assert "flink run -d -p 2 -pyfs job.zip -pym flink_app.main" in readme


def test_compiled_kernels_of_every_sub_package_are_found(tmp_path: Path) -> None:
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    caches = [tmp_path / "__pycache__", tmp_path / "room" / "inner" / "__pycache__"]
    for folder in caches:
        folder.mkdir(parents=True)
        for name in (f"kernels.f-1.{python}.nbi", f"kernels.f-1.{python}.1.nbc", "kernels.pyc"):
            (folder / name).touch()
        (folder / "kernels.f-1.py27.nbi").touch()
    assert [file.parent for file in compiled(tmp_path)] == [caches[0]] * 2 + [caches[1]] * 2


def test_the_same_sources_make_the_same_archive(packaged: Archive, tmp_path: Path) -> None:
    write(tmp_path / "job.zip", load(None, SETTINGS, {}))
    assert (tmp_path / "job.zip").read_bytes() == packaged.path.read_bytes()


def test_the_entry_finds_the_configuration_in_the_archive(
    packaged: Archive, tmp_path: Path
) -> None:
    out = packaged.path
    code = (
        f"import sys; sys.path.insert(0, {str(out)!r}); import flink_app.main as m; "
        "assert '.zip' in m.__file__; print(m._loaded(None, []).config.job.shards, "
        "m._loaded(None, ['job.shards=9']).config.job.shards)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["16", "9"]


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        write(tmp_path / "file" / "job.zip", load(None, [], {}))


@pytest.mark.parametrize(
    "name", ["a,b.zip", "a:b/c.zip", "a;b.zip", "it's.zip", "a\\b.zip", "job.tar"]
)
def test_a_name_that_flink_run_cannot_take_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name another file with --out"):
        write(tmp_path / name, load(None, [], {}))
    assert not list(tmp_path.iterdir())
