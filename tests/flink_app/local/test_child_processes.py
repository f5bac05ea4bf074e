"""A server ends with its parent, and nothing else is ever signalled."""

from __future__ import annotations

import os

from flink_app.local.child_processes import end_guarded, start_guarded


def test_the_number_of_a_server_that_has_ended_stays_taken_until_the_guard_is_done() -> None:
    server = start_guarded(["true"])
    os.waitid(os.P_PID, server.pid, os.WEXITED | os.WNOWAIT)
    os.kill(server.pid, 0)  # no other process can have the number
    end_guarded(server)
    assert server.returncode == 0


def test_a_server_is_ended() -> None:
    server = start_guarded(["sleep", "600"])
    assert server.poll() is None
    end_guarded(server)
    assert server.returncode == -15
