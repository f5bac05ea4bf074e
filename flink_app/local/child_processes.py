"""Servers that end when this process does, however it ends.

In: a command line. Out: a process that guards it, to be ended by `end_guarded`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

# The shell waits for the end of its input, which comes when the server is stopped or when this
# process dies, however it dies; then it ends the server. Few servers can watch their parent.
_GUARD = '"$@" </dev/null & server=$!; cat >/dev/null; kill "$server"; wait "$server"'


def start_guarded(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that says nothing; `environment` is its own, or this process's."""
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        # Ctrl-C in the terminal must reach the job first, which still writes its last lists.
        start_new_session=True,
    )


def end_guarded(guard: subprocess.Popen[bytes]) -> None:
    """End the server by SIGTERM and wait until it is gone."""
    assert guard.stdin is not None
    guard.stdin.close()
    guard.wait()
