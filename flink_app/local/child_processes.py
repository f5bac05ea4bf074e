"""Servers that end when this process does, however it ends.

In: a command line. Out: a process that guards it, to be ended by `end_guarded`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

# The shell waits for the end of its input, which comes when the server is stopped or when this
# process dies, however it dies; then it ends the server. Few servers can watch their parent.
_GUARD = (
    '"$@" </dev/null & server=$!; cat >/dev/null; exec </dev/null; kill "$server"; wait "$server"'
)


def start_guarded(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    watched: int = subprocess.PIPE,
    held: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a server that says nothing.

    Args:
        environment: its own, or this process's. watched: a file descriptor whose end of input ends
            the server; without one, the end of this process does.
        held: other file descriptors that the server keeps open while it lives, such as locks.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", _GUARD, "guard", *command],
        stdin=watched,
        pass_fds=held,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        # Ctrl-C in the terminal must reach the job first, which still writes its last lists.
        start_new_session=True,
    )


def end_guarded(guard: subprocess.Popen[bytes]) -> None:
    """End the server by SIGTERM and wait until it is gone.

    One that is watched by other means is only waited for.
    """
    if guard.stdin is not None:
        guard.stdin.close()
    guard.wait()
