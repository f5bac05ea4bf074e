"""Kernels are compiled and kept for any user, in a folder that nobody else could have filled."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from udfs.compiling import private_folder

ROOT = Path(__file__).parents[2]
KERNEL = "from udfs.compiling import njit\n@njit(cache=True)\ndef double(n):\n    return 2 * n\n"
CALL = "import kernel; assert kernel.double(21) == 42; print(len(kernel.double.stats.cache_hits))"


def call(folder: Path, code: str = CALL, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a kernel in a process that may write to none of Numba's own places."""
    (folder / "kernel.py").write_text(KERNEL)
    given = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    environment = {
        **given,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
        "TMPDIR": str(folder),
        **variables,
    }
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )


def test_a_temporary_folder_is_made_once_and_told_once(tmp_path: Path) -> None:
    first, second = call(tmp_path), call(tmp_path)
    folder = tmp_path / f"millirec-{os.getuid()}"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (first.stdout, second.stdout) == ("0\n", "1\n"), "the second compiles nothing"
    assert first.stderr.count(str(folder)) == 1 and "NUMBA_CACHE_DIR" in first.stderr
    assert second.stderr == ""


def test_it_is_told_by_the_first_that_may_speak(tmp_path: Path) -> None:
    folder = tmp_path / f"millirec-{os.getuid()}"
    (folder / "java").mkdir(parents=True)
    folder.chmod(0o700)
    silent = call(tmp_path, f"import logging; logging.disable(); {CALL}")
    assert silent.stderr == "" and list(folder.rglob("*.nbi"))
    assert call(tmp_path).stderr.count(str(folder)) == 1


def test_a_folder_that_is_named_is_taken(tmp_path: Path) -> None:
    done = call(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "kernels"))
    assert done.stderr == "" and list((tmp_path / "kernels").rglob("*.nbi"))


@pytest.mark.parametrize("kind", ["open", "link", "file"])
def test_a_folder_that_others_could_fill_is_not_used(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    usual = tmp_path / f"millirec-{os.getuid()}"
    if kind == "open":
        usual.mkdir()
        usual.chmod(0o777)
    elif kind == "link":
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        usual.symlink_to(tmp_path / "elsewhere")
    else:
        usual.touch()
    found = private_folder()
    assert found is not None and found != usual and found.stat().st_mode & 0o777 == 0o700


def test_no_folder_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/null/here")
    assert private_folder() is None
