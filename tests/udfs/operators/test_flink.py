"""What the operator shells share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import udfs

ROOT = Path(udfs.__file__).parent


def test_an_operator_loads_the_code_of_the_whole_package() -> None:
    """Whichever sub-package it is in: Flink deletes the folder it comes from with its job."""
    program = """
import sys
from udfs.operators.flink import share_interpreter
share_interpreter()
print(*(name for name in sys.modules if name.startswith("udfs")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    files = {file.relative_to(ROOT.parent).with_suffix("") for file in ROOT.rglob("*.py")}
    modules = {".".join(file.parts).removesuffix(".__init__") for file in files}
    assert set(done.stdout.split()) == modules
