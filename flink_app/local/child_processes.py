"""Servers that end when this process does, however it ends.

In: a command line. Out: the server's process, to be ended by `end_guarded`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence

# A shell waits for the end of its input, which comes when the server is stopped or when this
# process dies, however it dies; then it ends the server. Few servers can watch their parent. The
# server is the child of this process, not of the shell, which would forget one that has ended
# early: its number may by then be that of another process, and the signal would end that.
_GUARD = (
    "exec {0}<&0\n"  # a shell gives what is in the background no input of its own accord
    '(cat <&{0} >/dev/null; kill "$$" 2>/dev/null) &\n'
    'exec "$@" </dev/null {0}<&-'
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
    guard = _GUARD.format(next(number for number in range(3, 10) if number not in held))
    return subprocess.Popen(
        ["/bin/sh", "-c", guard, "guard", *command],
        stdin=watched,
        pass_fds=held,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        # Ctrl-C in the terminal must reach the job first, which still writes its last lists.
        start_new_session=True,
    )


def end_guarded(server: subprocess.Popen[bytes]) -> None:
    """End the server by SIGTERM and wait until it is gone.

    One that is watched by other means is only waited for.
    """
    if server.stdin is not None:
        server.stdin.close()
    server.wait()
