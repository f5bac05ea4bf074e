"""What is set before Java starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flink_app.config import Config
from flink_app.graph.environment import flink_options, prepare_process


def test_python_inside_java_is_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version that comes first in the PATH would lend it a library that does not fit."""
    for name in ("JAVA_HOME", "PYTHONPATH", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv("PATH", os.pathsep.join(["/elsewhere", "/usr/bin"]))
    prepare_process()
    first = os.environ["PATH"].split(os.pathsep)[0]
    assert Path(first) == Path(sys.executable).parent


def test_no_source_counts_as_idle() -> None:
    """See docs/decisions/no-idle-sources.md: rows of one that was held back would be dropped."""
    assert not [name for name in flink_options(Config()) if "idle" in name]
