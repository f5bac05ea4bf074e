"""Environment variables and options for Flink."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flink_app.config import Config
from flink_app.graph.environment import flink_options, prepare_process


def test_python_inside_java_is_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier python3 in PATH may have a library of another, incompatible version."""
    for name in ("JAVA_HOME", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", os.pathsep.join(["/elsewhere", "/usr/bin"]))
    prepare_process()
    first = os.environ["PATH"].split(os.pathsep)[0]
    assert Path(first) == Path(sys.executable).parent


def test_no_source_counts_as_idle() -> None:
    """See docs/decisions/no-idle-sources.md: rows of a delayed source would be dropped."""
    assert not [name for name in flink_options(Config()) if "idle" in name]
