"""Kernels are compiled and kept for any user, in a folder that nobody else could have filled."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from udfs.compiling import njit, private_folder

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


def test_a_division_by_nothing_is_numpys() -> None:
    ratio = njit()(lambda a, b: a / b)
    assert ratio(1.0, 0.0) == np.inf and np.isnan(ratio(0.0, 0.0))


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


def kernels() -> Iterator[tuple[str, ast.FunctionDef]]:
    for file in sorted((ROOT / "udfs").rglob("*.py")):
        for one in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(one, ast.FunctionDef) and "njit" in map(_name, one.decorator_list):
                yield f"{file.relative_to(ROOT)}: {one.name}", one


def _name(decorator: ast.expr) -> str:
    return ast.unparse(decorator).partition("(")[0]


def copies(kernel: ast.AST) -> list[str]:
    """The statements that may copy an array into part of another one."""
    return [
        ast.unparse(one)
        for one in ast.walk(kernel)
        if isinstance(one, ast.Assign)
        and any(isinstance(part, ast.Slice) for at in one.targets for part in ast.walk(at))
        and not is_number(one.value)
    ]


def is_number(value: ast.expr) -> bool:
    """Whether an expression is a number, an element, or a choice between them."""
    if isinstance(value, ast.UnaryOp):
        return is_number(value.operand)
    if isinstance(value, ast.IfExp):
        return is_number(value.body) and is_number(value.orelse)
    if isinstance(value, ast.Tuple | ast.Call):
        return all(map(is_number, value.elts if isinstance(value, ast.Tuple) else value.args))
    if isinstance(value, ast.Subscript):
        return not any(isinstance(part, ast.Slice) for part in ast.walk(value.slice))
    return isinstance(value, ast.Constant | ast.Attribute)


def test_no_kernel_copies_an_array_into_part_of_another() -> None:
    """Numba compiles the words of an error about shapes for it, which takes seconds: write a
    loop."""
    assert len([*kernels()]) > 150
    assert [(name, said) for name, one in kernels() for said in copies(one)] == []


@pytest.mark.parametrize(
    ("statement", "slow"),
    [
        ("a[:] = b", True),
        ("a[r, :] = b[k, 1:]", True),
        ("a[:n], c = b, 1", True),
        ("a[:] = -np.inf", False),
        ("a[r, :] = 0 if n < 0 else b[n]", False),
        ("a[k] = b", False),
    ],
)
def test_such_statements_are_found(statement: str, slow: bool) -> None:
    assert bool(copies(ast.parse(statement))) == slow
