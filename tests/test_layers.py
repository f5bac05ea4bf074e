"""Who may import whom: udfs stands alone, only the operators know PyFlink, no room imports
upward."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
UDFS = sorted((ROOT / "udfs").rglob("*.py"))
SOURCES = [*UDFS, *sorted((ROOT / "flink_app").rglob("*.py"))]

ROOMS = (
    "udfs.errors",
    "udfs.own_folder",
    "udfs.options",
    "udfs.threads",
    "udfs.compiling",
    "udfs.direct",
    "udfs.durations",
    "udfs.attributed",
    "udfs.experiments",
    "udfs.accounts",
    "udfs.rules",
    "udfs.formats",
    "udfs.events",
    "udfs.state",
    "udfs.encoders",
    "udfs.memory",
    "udfs.models",
    "udfs.ranking",
    "udfs.lists",
    "udfs.stores",
    "udfs.feed",
    "udfs.learning",
    "udfs.operators",
    "flink_app.client",
    "flink_app.config",
    "flink_app.console",
    "flink_app.connections",
    "flink_app.writers",
    "flink_app.without",
    "flink_app.graph",
    "flink_app.job",
    "flink_app.package",
    "flink_app.main",
    "flink_app.lookup",
    "flink_app.local",
    "flink_app.data",
    "flink_app.monitoring",
    "flink_app.evaluate",
    "flink_app.report",
    "flink_app.serve",
    "flink_app.simulator",
    "flink_app.demo",
    "flink_app.commands",
    "flink_app.cli",
    "flink_app.__main__",
)
"""A room imports only from itself and from those before it."""


def name_of(path: Path) -> str:
    """The module's name in dots, from the root."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """The modules that a file imports, anywhere in it, or what it imports from them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: write imports in full"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(path: Path) -> set[str]:
    """The top-level packages that a file imports."""
    return {name.split(".")[0] for name in imported(path)}


def room_of(module: str) -> str:
    """The room that a module, or what is in one, belongs to; "" for what is in none."""
    return ".".join(module.split(".")[:2]) if module.count(".") else ""


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_room_imports_upward(path: Path) -> None:
    room = room_of(name_of(path))
    if not room:  # a package's own __init__
        assert imported(path) == set()
        return
    allowed = ROOMS[: ROOMS.index(room) + 1]
    for name in imported(path):
        if name.startswith(("udfs.", "flink_app.")) and name != "flink_app.__version__":
            assert room_of(name) in allowed, name


@pytest.mark.parametrize("path", UDFS, ids=name_of)
def test_udfs_imports_nothing_of_the_application(path: Path) -> None:
    assert not packages(path) & {"flink_app", "deploy", "tests", "benchmarks"}


@pytest.mark.parametrize("path", UDFS, ids=name_of)
def test_only_operators_import_pyflink(path: Path) -> None:
    assert "pyflink" not in packages(path) or name_of(path).startswith("udfs.operators.")


def test_the_learning_core_runs_without_pyflink() -> None:
    """Imported whole, in a process in which PyFlink cannot be."""
    modules = [name for name in map(name_of, UDFS) if not name.startswith("udfs.operators.")]
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
