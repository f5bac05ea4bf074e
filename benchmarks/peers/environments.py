"""A separate environment for each peer whose packages conflict with millirec's.

In: the name of a peer and its requirements. Out: a Python that has them, in benchmarks/out/venvs,
created in the first run and kept.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "out" / "venvs"
_STAMP = "requirements.txt"


class NotInstalled(Exception):
    """A peer's packages cannot be installed; the text is pip's reason."""


def python_of(name: str, requirements: Sequence[str], folder: Path = FOLDER) -> str:
    """The path of the peer's Python; millirec's own if there are no requirements.

    Raises:
        NotInstalled: the environment cannot be created, or pip fails, e.g. without a network.
    """
    if not requirements:
        return sys.executable
    place = folder / name
    stamp, text = place / _STAMP, "".join(f"{line}\n" for line in requirements)
    python = place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (stamp.exists() and stamp.read_text() == text):
        print(f"{name}: installing {', '.join(requirements)} …", file=sys.stderr)
        _run([sys.executable, "-m", "venv", "--clear", str(place)])
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, *requirements])
        stamp.write_text(text)
    return str(python)


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        raise NotInstalled(([*done.stdout.strip().splitlines()] or ["no output"])[-1])
