"""A measuring module as a process of its own, so that each gets a fresh Java and Python.

In: the module and its arguments. Out: the JSON that it prints last.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def measured(module: str, *arguments: str, tree: Path | None = None) -> dict[str, Any]:
    """Run `python -m module`, of this source tree or another.

    Raises:
        SystemExit: it ended with an error; what it said stands in stderr.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, cwd=tree)
    if done.returncode:
        raise SystemExit(f"{module} ended with {done.returncode}; its messages stand above")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
