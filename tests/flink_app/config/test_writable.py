"""What cannot be written is found before the work, and looking leaves nothing behind."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.config import load
from flink_app.config.writable import check_writable, obstacle, require_file, write_file
from udfs.errors import ConfigError

NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)
BELOW = st.lists(
    NAMES.filter(lambda name: name not in (".", "..") and len(name.encode()) < 200), max_size=3
)


@given(BELOW)
def test_a_folder_that_can_be_made_is_not_made(
    tmp_path_factory: pytest.TempPathFactory, below: list[str]
) -> None:
    folder = tmp_path_factory.getbasetemp()
    before = set(folder.iterdir())
    assert obstacle(folder.joinpath("rights", *below)) == ""
    assert set(folder.iterdir()) == before


@given(BELOW)
def test_a_file_in_the_way_is_named(
    tmp_path_factory: pytest.TempPathFactory, below: list[str]
) -> None:
    file = tmp_path_factory.getbasetemp() / "in-the-way"
    file.touch()
    assert obstacle(file.joinpath(*below)) == f"{file} is not a folder"


@pytest.mark.parametrize("folder", ["/proc/here", "/proc"])
def test_a_file_system_that_takes_no_files(folder: str) -> None:
    assert obstacle(Path(folder)).startswith("/proc: ")


@pytest.mark.parametrize("option", ["dead_letters.path", "state.checkpoints"])
@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_the_job_names_its_option(option: str, form: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = form.format(tmp_path / "file" / "below")
    with pytest.raises(ConfigError, match=rf"{option} is .*file is not a folder.* choose another"):
        check_writable(load(None, [f"{option}={folder}"], {}).config)


@pytest.mark.parametrize(
    "settings",
    [
        ["dead_letters.path=s3://bucket/x", "state.checkpoints=hdfs://name/x"],
        ["dead_letters.path=/proc/x", "dead_letters.kind=none"],
    ],
)
def test_what_is_elsewhere_or_not_used_is_not_looked_at(settings: list[str]) -> None:
    check_writable(load(None, settings, {}).config)


def test_a_file_to_write(tmp_path: Path) -> None:
    (tmp_path / "old.json").touch()
    for file in (tmp_path / "old.json", tmp_path / "new" / "x.json", Path("/dev/null"), None):
        require_file(file, "--out")
    for file in (tmp_path, tmp_path / "old.json" / "x", Path("/proc/x.json")):
        with pytest.raises(ConfigError, match=r"--out .* cannot be written: .*Name another file"):
            require_file(file, "--out")


def test_who_reads_has_the_old_file_or_the_new_one(tmp_path: Path) -> None:
    file, link = tmp_path / "new" / "x.json", tmp_path / "link.json"
    write_file(file, b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    with file.open("rb") as reader:
        write_file(link, b"new and longer")
        assert reader.read() == b"old"
    assert link.is_symlink() and file.read_bytes() == b"new and longer"
    assert file.stat().st_mode & 0o777 == 0o640
    assert [*file.parent.iterdir()] == [file]


def test_a_file_in_a_folder_that_may_not_be_changed_is_written_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(part: Path, path: Path) -> Path:
        raise OSError(errno.EBUSY, "a mount")

    (tmp_path / "x.json").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", refused)
    write_file(tmp_path / "x.json", b"new")
    assert (tmp_path / "x.json").read_bytes() == b"new"
    assert [*tmp_path.iterdir()] == [tmp_path / "x.json"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(part: Path, path: Path) -> Path:
        raise OSError(errno.ENOSPC, "no space left on device")

    (tmp_path / "x.json").write_bytes(b"old")
    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space"):
        write_file(tmp_path / "x.json", b"new")
    assert (tmp_path / "x.json").read_bytes() == b"old"
    write_file(Path("/dev/null"), b"to a device")
