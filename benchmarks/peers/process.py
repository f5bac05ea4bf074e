"""Runs a peer as a process: starts it, waits for it, measures its memory, ends it.

In: a command. Out: a context in which the peer runs, its output in a file, and its peak memory,
MiB.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import redis

from benchmarks.load import Load, known

ROOT = Path(__file__).parents[2]
_LOOK_S = 0.25
_POLL_S = 0.05


class PeerFailed(Exception):
    """A peer ended unexpectedly, or does not finish; the text has its last output."""


class PeerProcess:
    """Context manager: the peer runs, in the root of the source tree.

    Attributes:
        peak_mib: the peak of the total resident memory of the process and its descendants, by the
            name of the program.
    """

    def __init__(self, command: Sequence[str], log: Path) -> None:
        self._command, self._log = command, log
        self._stop = threading.Event()
        self.peak_mib: dict[str, int] = {}

    def __enter__(self) -> PeerProcess:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        with self._log.open("wb") as log:
            self._process = psutil.Popen(
                self._command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._watch = threading.Thread(target=self._look, daemon=True)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process and its descendants."""
        self._stop.set()
        self._watch.join()
        family = self._family()
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)

    def check(self) -> None:
        """Raise PeerFailed if the process has ended."""
        if self._process.poll() is not None:
            lines = self._log.read_text(errors="replace").strip().splitlines() or ["-"]
            raise PeerFailed(f"ended with {self._process.returncode}: {lines[-1][:300]}")

    def wait(self, load: Load, client: redis.Redis, users: Sequence[str], limit_s: float) -> bool:
        """Wait until the lists of `users` count all their events; False if the limit passes."""
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            stored: Any = client.mget([f"rec:{user}" for user in users])
            if all(
                known(value) >= load.numbers[user]
                for user, value in zip(users, stored, strict=True)
            ):
                return True
            self.check()
            time.sleep(_POLL_S)
        return False

    def must(self, load: Load, client: redis.Redis, users: Sequence[str], limit_s: float) -> None:
        """Like `wait`, but raises PeerFailed if the limit passes."""
        if not self.wait(load, client, users, limit_s):
            raise PeerFailed(f"had not learned {load.count:,} events after {limit_s:.0f} s")

    def _family(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self._process, *self._process.children(recursive=True)]
        return []

    def _look(self) -> None:
        peak = 0
        while not self._stop.wait(_LOOK_S):
            sizes: dict[str, int] = {}
            for process in self._family():
                with contextlib.suppress(psutil.NoSuchProcess):
                    name = "Java" if process.name() == "java" else "Python"
                    sizes[name] = sizes.get(name, 0) + process.memory_info().rss
            if sum(sizes.values()) > peak:
                peak = sum(sizes.values())
                self.peak_mib = {name: size >> 20 for name, size in sizes.items()}
