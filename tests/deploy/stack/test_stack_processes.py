from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from deploy.stack import processes
from deploy.stack.processes import Process, alive, spawn, stop
from tests.waiting import wait_for

WAITS = "import signal; print('here', flush=True); signal.pause()"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {WAITS}"


def start(program: str, folder: Path) -> Process:
    process = spawn("it", [sys.executable, "-c", program], folder / "logs" / "it.out", os.environ)
    while "here" not in Path(process.output).read_text() and alive(process):
        time.sleep(0.01)
    return process


def test_it_runs_until_it_is_stopped(tmp_path: Path) -> None:
    process = start(WAITS, tmp_path)
    assert alive(process)
    assert os.getsid(process.pid) == process.pid
    stop([process])
    assert not alive(process)
    assert not psutil.pid_exists(process.pid)
    stop([process])


def test_a_server_that_does_not_end_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    process = start(STUBBORN, tmp_path)
    stop([process])
    assert not psutil.pid_exists(process.pid)


def test_a_process_that_ended_is_not_alive(tmp_path: Path) -> None:
    process = start("print('here')", tmp_path)
    wait_for(lambda: not alive(process))
    # Its exit status has not been read yet: a zombie counts as ended.
    assert psutil.Process(process.pid).status() == psutil.STATUS_ZOMBIE
    stop([process])


def test_another_process_of_the_same_id_is_left_alone() -> None:
    mine = psutil.Process()
    earlier = Process("it", mine.pid, mine.create_time() - 3600.0, "it.out")
    assert not alive(earlier)
    stop([earlier])
    assert mine.is_running()
