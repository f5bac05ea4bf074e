"""Starts servers that outlive the command that started them, and finds and stops them later.

In: command lines. Out: `Process` records (name, process id, start time, output file) that can be
written to a file and still identify the same process when another command reads them.
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
"""How long a server may take to end after SIGTERM before it is killed."""

_children: list[subprocess.Popen[bytes]] = []


class Process(Struct, frozen=True):
    """A started server; `started` (seconds since 1970) identifies it if its id is reused."""

    name: str
    pid: int
    started: float
    output: str


def spawn(
    name: str, command: Sequence[str], output: Path, environment: Mapping[str, str]
) -> Process:
    """Start `command` in its own session, where neither Ctrl-C nor a closed terminal reaches it.

    Its standard output and error go to the file `output`, which is overwritten.
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
    """Whether this process, and not another one with its id, still runs."""
    return _find(process) is not None


def stop(processes: Iterable[Process]) -> None:
    """End these processes and wait until they are gone; those that already ended are ignored.

    Those that do not end within 15 s of SIGTERM are killed.
    """
    running = list(processes)
    for process in running:
        send(process, signal.SIGTERM)
    remaining = wait(running)
    for process in remaining:
        send(process, signal.SIGKILL)
    wait(remaining)
    _children[:] = [child for child in _children if child.poll() is None]


def connected(clients: Iterable[Process], server: Process) -> bool:
    """Whether each of some processes, at least one, has a connection to a port of another."""
    try:
        own = psutil.Process(server.pid).net_connections("tcp")
        open_ports = {one.laddr.port for one in own if one.status == psutil.CONN_LISTEN}
        found = [psutil.Process(client.pid).net_connections("tcp") for client in clients]
    except psutil.NoSuchProcess:
        return False
    return bool(found) and all(
        any(one.raddr and one.raddr.port in open_ports for one in connections)
        for connections in found
    )


def _find(process: Process) -> psutil.Process | None:
    try:
        found = psutil.Process(process.pid)
        if abs(found.create_time() - process.started) >= 1.0:
            return None
        # A zombie has ended; its parent may never collect it (process 1 in many containers). But
        # its ports stay open while it still has threads.
        ended = found.status() == psutil.STATUS_ZOMBIE and found.num_threads() <= 1
        return None if ended else found
    except psutil.NoSuchProcess:
        return None


def send(process: Process, number: signal.Signals) -> None:
    """Send a signal to a process, unless it has ended."""
    found = _find(process)
    if found is not None:
        with contextlib.suppress(psutil.NoSuchProcess):
            found.send_signal(number)


def wait(processes: list[Process]) -> list[Process]:
    """Wait at most 15 s until these have ended; returns those that have not."""
    deadline = time.monotonic() + GRACE_SECONDS
    left = processes
    while (left := [process for process in left if alive(process)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left
