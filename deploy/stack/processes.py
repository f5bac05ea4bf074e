"""Starts servers that outlive the command that started them, and finds and stops them later.

In: command lines. Out: `Process` records (name, process id, start time, output file) that can be
written to a file and still mean the same process when another command reads them.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from msgspec import Struct

GRACE_SECONDS = 15.0
"""How long a server may take to end by itself before it is killed."""

_children: list[subprocess.Popen[bytes]] = []


class Process(Struct, frozen=True):
    """A started server: `started` (seconds since 1970) tells it from a later one of the same id."""

    name: str
    pid: int
    started: float
    output: str


def spawn(
    name: str, command: Sequence[str], output: Path, environment: Mapping[str, str]
) -> Process:
    """Start `command` in a session of its own: neither Ctrl-C nor a closed terminal reaches it.

    Its standard output and error go to the file `output`, which is begun anew.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with output.open("wb") as sink:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,
        )
    _children.append(child)
    return Process(name, child.pid, psutil.Process(child.pid).create_time(), str(output))


def alive(process: Process) -> bool:
    """Whether this very process still runs."""
    return _find(process) is not None


def stop(processes: Iterable[Process]) -> None:
    """End these processes and wait until they are gone; those that ended already are passed over.

    Those that do not end within 15 s of being asked are killed.
    """
    asked = list(processes)
    for process in asked:
        send(process, signal.SIGTERM)
    stubborn = wait(asked)
    for process in stubborn:
        send(process, signal.SIGKILL)
    wait(stubborn)
    _children[:] = [child for child in _children if child.poll() is None]


def _find(process: Process) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        if abs(found.create_time() - process.started) >= 1.0:
            return None
        # A zombie only waits for its parent, which may never ask (process 1 of many containers).
        # While threads of it are left, though, its ports are still open.
        ended = found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1
        return None if ended else found
    except psutil.NoSuchProcess:
        return None


def send(process: Process, number: signal.Signals) -> None:
    """Send a process a signal, unless it has ended."""
    found = _find(process)
    if found is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.send_signal(number)


def wait(processes: list[Process]) -> list[Process]:
    """Wait until these have ended, 15 s at most; those that have not."""
    deadline = time.monotonic() + GRACE_SECONDS
    left = processes
    while (left := [process for process in left if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
