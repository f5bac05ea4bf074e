"""Who may import whom: udfs stands alone, and only the operator shells know PyFlink."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHELLS = {"parse", "user_learner", "item_learner", "stats_operator", "operator"}
UDFS = sorted((ROOT / "udfs").glob("**/*.py"))


def imported(path: Path) -> set[str]:
    """The top-level packages that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            names.add(node.module or "")
    return {name.split(".")[0] for name in names}


@pytest.mark.parametrize("path", UDFS, ids=lambda path: path.stem)
def test_udfs_imports_nothing_of_the_application(path: Path) -> None:
    assert not imported(path) & {"flink_app", "deploy", "tests", "benchmarks"}


@pytest.mark.parametrize("path", UDFS, ids=lambda path: path.stem)
def test_only_the_shells_import_pyflink(path: Path) -> None:
    assert ("pyflink" in imported(path)) == (path.stem in SHELLS)


def test_the_learning_core_runs_without_pyflink() -> None:
    """Imported whole, in a process in which PyFlink cannot be."""
    modules = [f"udfs.{path.stem}" for path in UDFS if path.stem not in SHELLS | {"__init__"}]
    program = f"""
import sys, importlib
sys.modules["pyflink"] = sys.modules["pemja"] = None
for module in {modules!r}:
    importlib.import_module(module)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
