"""Compiled code of removed sources does not stop a process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_VIEW = """
from typing import Any, NamedTuple
class View(NamedTuple):
    values: Any
"""
_KERNEL = """
from numba import njit
@njit(cache=True)
def total(view):
    return view.values.sum()
"""
_CALL = """
import numpy as np, kernel, {module}
from udfs.models.cached import forget_unreadable
forget_unreadable(kernel.total)
assert kernel.total({module}.View(np.ones(3))) == 3.0
"""


def test_a_view_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "kernel.py").write_text(_KERNEL)
    for module in ("one", "two"):
        view = tmp_path / f"{module}.py"
        view.write_text(_VIEW)
        program = f"import sys; sys.path.append({str(tmp_path)!r}){_CALL.format(module=module)}"
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        view.unlink()
