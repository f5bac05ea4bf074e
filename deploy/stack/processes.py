"""Starts servers that outlive the command that started them, and finds and stops them later.

In: command lines. Out: `Process` records (name, process id, start time, output file) that can be
written to a file and still mean the same process when another command reads them.
"""

from __future__ import annotations

import subprocess
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
    running = [found for process in processes if (found := _find(process))]
    for found in running:
        _signal(found, kill=False)
    _, stubborn = psutil.wait_procs(running, timeout=GRACE_SECONDS)
    for found in stubborn:
        _signal(found, kill=True)
    psutil.wait_procs(stubborn, timeout=GRACE_SECONDS)
    _children[:] = [child for child in _children if child.poll() is None]


def _find(process: Process) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        same = abs(found.create_time() - process.started) < 1.0
        return found if same and found.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def _signal(found: psutil.Process, *, kill: bool) -> None:
    try:
        if kill:
            found.kill()
        else:
            found.terminate()
    except psutil.NoSuchProcess:
        pass
