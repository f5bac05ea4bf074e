"""The folder for what this user keeps where no other place can be written.

In: the process's user. Out: a path below the temporary folder that nobody else can read or write.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path


def own_folder() -> Path | None:
    """`millirec-UID` below the temporary folder, made if it is missing; None if it cannot be made,
    or if others own it or may use it, since what is kept there may be code."""
    with contextlib.suppress(OSError):
        folder = Path(tempfile.gettempdir()) / f"millirec-{os.getuid()}"
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
        if own and not found.st_mode & 0o077 and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return None
