"""Whether a command will be able to write where it is told to, before it spends minutes on it; and
how it writes then, so that who reads the file meanwhile has the old one or the new one.

In: a path and the option that names it. Out: nothing, or a ConfigError that says what is in the
way. Nothing is left behind: a folder that is missing is made later, when there is something in it.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from flink_app.config.paths import is_local, local
from flink_app.config.tree import Config
from udfs.errors import ConfigError

_IN_PLACE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY)
"""Why a file may not be replaced that may be written: of its folder, or it is a mount."""

_PROBE = b"\0" * 4096
"""One block: a full disk takes an empty file, but no content."""


def check_writable(config: Config) -> None:
    """Check the folders that a job on this machine writes to.

    On a cluster they belong to its TaskManagers, so only `millirec run` and its like ask.

    Raises:
        ConfigError: one of them cannot be written.
    """
    if config.dead_letters.kind == "files" and is_local(config.dead_letters.path):
        require_folder(local(config.dead_letters.path), "dead_letters.path")
    if (log := config.ranker.log_folder) and is_local(log):
        require_folder(local(log), "ranker.log")
    if config.state.checkpoints and is_local(config.state.checkpoints):
        require_folder(local(config.state.checkpoints), "state.checkpoints")


def require_folder(folder: Path, option: str) -> None:
    """Raise ConfigError unless files can be written in `folder`, once it is made."""
    if reason := obstacle(folder):
        raise ConfigError(
            f"{option} is {folder}, where nothing can be written: {reason}. Make it writable for "
            f"user id {os.getuid()}, or choose another folder."
        )


def require_file(file: Path | None, option: str) -> None:
    """Raise ConfigError unless `file` can be written; None is no file."""
    if file is None:
        return
    path = local(file)
    reason = f"{path} is a folder" if path.is_dir() else ""
    if not reason and path.exists() and not os.access(path, os.W_OK):
        reason = f"no rights to change {path}"
    if reason := reason or ("" if path.exists() and not path.is_file() else obstacle(path.parent)):
        raise ConfigError(f"{option} {file} cannot be written: {reason}. Name another file.")


def write_file(file: Path, content: bytes) -> None:
    """Write a file that `require_file` has let pass, at once, and make its folder.

    A file keeps its rights, a link goes on leading to it, and a device gets the content.

    Raises:
        OSError: it cannot be written.
    """
    path = local(file).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    part = path.with_name(f".{os.getpid()}.part")
    try:
        part.write_bytes(content)
        with suppress(FileNotFoundError):
            part.chmod(stat.S_IMODE(path.stat().st_mode))
        part.replace(path)
    except OSError as error:
        if error.errno not in _IN_PLACE:
            raise
        path.write_bytes(content)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def obstacle(folder: Path) -> str:
    """Why no file can be written in a folder, which may be missing; "" if one can.

    >>> obstacle(Path("/dev/null/here"))
    '/dev/null is not a folder'
    """
    found = folder
    while not os.path.lexists(found) and found != found.parent:
        found = found.parent
    with suppress(OSError):
        if not found.is_dir():
            return f"{found} is not a folder"
    try:
        with tempfile.TemporaryFile(dir=found, buffering=0) as probe:
            probe.write(_PROBE)
    except OSError as error:
        return f"{found}: {error.strerror or error}"
    return ""
