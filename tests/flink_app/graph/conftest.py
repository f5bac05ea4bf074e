from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def checkpoints(tmp_path: Path) -> Path:
    """A folder of checkpoints 1 to 3 of two jobs, 3 the newest; 4 is not finished."""
    for number, job in ((1, "one"), (2, "two"), (3, "one"), (4, "one")):
        checkpoint = tmp_path / job / f"chk-{number}"
        checkpoint.mkdir(parents=True)
        if number < 4:
            (checkpoint / "_metadata").touch()
            os.utime(checkpoint / "_metadata", (number, number))
    return tmp_path
