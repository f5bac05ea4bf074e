"""Real data sets, where they are; RECORDED_DATA names the folder that holds them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("RECORDED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def data(name: str) -> Path:
    """A file of a data set; the test is skipped where it is not."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there: set RECORDED_DATA to a folder that holds {name}")
    return path
