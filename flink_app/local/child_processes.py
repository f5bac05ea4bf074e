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
    "exec 3<&0\n"  # a shell gives what is in the background no input of its own accord
    '(cat <&3 >/dev/null; kill "$$" 2>/dev/null) &\n'
    'exec "$@" </dev/null 3<&-'
)


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


def end_guarded(server: subprocess.Popen[bytes]) -> None:
    """End the server by SIGTERM and wait until it is gone."""
    assert server.stdin is not None
    server.stdin.close()
    server.wait()
