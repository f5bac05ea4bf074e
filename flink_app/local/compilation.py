"""Compiles the learners' kernels before the job needs them, on two cores while Java starts.

In: the learners' settings. Out: Numba's cache, filled, and a mark in this user's own folder, so
that this is done once for such settings, sources and versions. Without that folder, or on one
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
from typing import Any

import msgspec
from msgspec.structs import replace

from udfs.models.settings import Settings
from udfs.own_folder import own_folder

_PROJECT = Path(__file__).resolve().parents[2]
_MODULE, _FIRST = "udfs.learning.precompile", ("learning", "ranking")  # importing it takes a second
# Without the current folder in the path, where a user may have a package `udfs` of their own; what
# is to be said of the cache is left to the job, whose warnings are seen.
_RUN = """\
import logging, sys
logging.disable()
sys.path[:] = filter(None, sys.path)
from {} import main
main()
"""


class Compilation:
    """See the module; `needed` tells whether there is anything to compile."""

    def __init__(self, settings: Settings) -> None:
        self._settings = msgspec.json.encode(settings)
        self._processes: list[subprocess.Popen[bytes]] = []
        folder = own_folder() if (os.cpu_count() or 1) > 1 else None
        self._mark = folder / "kernels" / _digest(settings) if folder else None
        self.needed = self._mark is not None and not (self._mark.exists() and _cached())

    def start(self) -> None:
        """Start the processes, if there is anything to compile."""
        if not self.needed:
            return
        given = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
        paths = os.pathsep.join([str(_PROJECT), *given])
        for first in _FIRST:
            process = subprocess.Popen(
                [sys.executable, "-c", _RUN.format(_MODULE), first],
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


def compile_now(settings: Settings) -> None:
    """Compile what the learners need, if that is not done, and say on standard error that it takes
    so long."""
    compilation = Compilation(settings)
    if not compilation.needed:
        return
    print("Compiling the kernels for this processor, once: a minute or two.", file=sys.stderr)
    compilation.start()
    try:
        compilation.wait()
    finally:
        compilation.stop()


def _cached() -> bool:
    """Whether what was compiled is still there; true if it is not beside the sources."""
    folder = _PROJECT / "udfs"
    elsewhere = os.environ.get("NUMBA_CACHE_DIR") or not os.access(folder, os.W_OK)
    return bool(elsewhere) or any(folder.rglob("*.nbi"))


def _digest(settings: Settings) -> str:
    """What compiled kernels depend on. Numbers select none, but a part of 0 may be left out."""
    s = settings
    ranker, own = s.ranker, s.of("sequence")  # of files and folders, only whether there are any
    ranker = replace(ranker, model=str(bool(ranker.model)), log=str(bool(ranker.log)))
    own = replace(own, model=str(bool(own.model)))
    sections = s.model, s.item_cf, s.user_cf, ranker, own, s.lists, s.rerank, s.explore, s.quality
    kinds = [*map(_kinds, (*sections, s.crowd)), s.identity.enabled, s.privacy.min_users > 0]
    hashed = hashlib.sha256(msgspec.json.encode([kinds, s.redis.factors, s.job.strict]))
    hashed.update(f"{sys.version} {importlib.metadata.version('numba')} {_PROJECT}".encode())
    hashed.update(os.environ.get("NUMBA_CACHE_DIR", "").encode())
    for file in sorted((_PROJECT / "udfs").rglob("*.py")):
        found = file.stat()
        hashed.update(f"{file.name} {found.st_size} {found.st_mtime_ns}".encode())
    return hashed.hexdigest()[:16]


def _kinds(section: msgspec.Struct) -> list[Any]:
    """The values of a section, of numbers only whether they are 0."""
    values = msgspec.structs.astuple(section)
    return [bool(value) if isinstance(value, int | float) else value for value in values]
