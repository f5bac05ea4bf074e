"""Runs a measuring module as a separate process, so that each gets a fresh Java and Python.

In: the module and its arguments. Out: the JSON in its last line.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any


def measured(module: str, *arguments: str, tree: Path | None = None) -> dict[str, Any]:
    """Run `python -m module`, of this source tree or another.

    Raises:
        SystemExit: it ended with an error, which is on stderr.
    """
    command = [sys.executable, "-m", module, *arguments]
    environment = os.environ | ({"PYTHONPATH": str(tree)} if tree else {})
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=False, cwd=tree, env=environment
    )
    if done.returncode:
        raise SystemExit(f"{module} ended with {done.returncode}; see its messages above")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
