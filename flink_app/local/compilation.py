"""Compiles the learners' kernels before the job needs them, on two cores while Java starts.

In: the learners' settings. Out: Numba's cache, filled, and a mark in this user's own folder, so
that this is done once for these settings, sources and versions. Without that folder, or on one
core, the job compiles for itself when it starts.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import msgspec

from udfs.models.settings import Settings
from udfs.own_folder import own_folder

_PROJECT = Path(__file__).resolve().parents[2]
_MODULE, _FIRST = "udfs.learning.precompile", ("learning", "ranking")  # importing it takes a second


class Compilation:
    """See the module; `needed` tells whether there is anything to compile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = msgspec.json.encode(settings)
        self._processes: list[subprocess.Popen[bytes]] = []
        folder = own_folder() if (os.cpu_count() or 1) > 1 else None
        self._mark = folder / "kernels" / _digest(self._settings) if folder else None
        self.needed = self._mark is not None and not self._mark.exists()

    def start(self) -> None:
        """Start the processes, if there is anything to compile."""
        if not self.needed:
            return
        given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        paths = os.pathsep.join([str(_PROJECT), *given])
        for first in _FIRST:
            process = subprocess.Popen(
                [sys.executable, "-m", _MODULE, first],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": paths},
            )
            self._processes.append(process)
            assert process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(self._settings)
                process.stdin.close()

    def wait(self) -> None:
        """Wait until it is done; if it fails, the job compiles and tells why it cannot."""
        codes = [process.wait() for process in self._processes]
        if self._mark is not None and codes and not any(codes):
            with contextlib.suppress(OSError):
                self._mark.parent.mkdir(exist_ok=True)
                self._mark.touch()

    def stop(self) -> None:
        """End it, if it is not done."""
        for process in self._processes:
            process.terminate()
            process.wait()
        self._processes = []


def _digest(settings: bytes) -> str:
    """What compiled kernels depend on."""
    hashed = hashlib.sha256(settings)
    hashed.update(f"{sys.version} {importlib.metadata.version('numba')} {_PROJECT}".encode())
    hashed.update(os.environ.get("NUMBA_CACHE_DIR", "").encode())
    for file in sorted((_PROJECT / "udfs").rglob("*.py")):
        found = file.stat()
        hashed.update(f"{file.name} {found.st_size} {found.st_mtime_ns}".encode())
    return hashed.hexdigest()[:16]
