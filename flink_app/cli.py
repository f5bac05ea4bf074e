"""The command line `millirec`; `commands` holds the commands and their parameters.

In: arguments and the environment. Out: text, and an exit code (see `flink_app.console.failures`).
Each command imports the modules that it needs, so that a lookup answers at once; what all of them
need is imported here once signals and errors are sentences.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
from collections.abc import Callable
from errno import EACCES, EDQUOT, EIO, ENOENT, ENOSPC, EROFS
from pathlib import Path
from types import FrameType

from flink_app.console import output
from flink_app.console.failures import FAILED, FINISHED, STOPPED, USAGE, exit_code
from flink_app.console.interrupts import interrupt
from flink_app.console.terminal import printable
from udfs.errors import MillirecError

_DISK = (ENOSPC, EDQUOT, EIO, EROFS)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code; mistakes are sentences on standard error."""
    if arguments is not None:
        sys.exit(_code(arguments))
    code = STOPPED
    atexit.register(_on_signals, signal.SIG_IGN)  # last: Python forgets our handlers before its end
    try:
        _on_signals(interrupt)
        output.prepare()
        code = _code(sys.argv[1:])
    except KeyboardInterrupt:
        pass
    _on_signals(lambda *_: os._exit(code))  # one more ends the waiting for threads
    sys.exit(code)


def _on_signals(handler: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    """Handle Ctrl-C, SIGTERM and a closed terminal, unless they are ignored, as by `nohup`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _code(arguments: list[str]) -> int:
    try:
        return _run(arguments)
    except MillirecError as error:
        print(f"error: {error}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        return STOPPED
    except UnicodeEncodeError as error:
        _say_not_text(error, arguments)
        return USAGE
    except OSError as error:
        return _system_error(error)
    except RuntimeError as error:
        if "home directory" not in str(error):
            raise
        print("error: this user has no home folder for ~: write the path in full.", file=sys.stderr)
        return USAGE


def _run(arguments: list[str]) -> int:
    from cyclopts import CycloptsError

    from flink_app.commands.every import app

    try:
        result = app(arguments, exit_on_error=False, result_action="return_value")
    except CycloptsError:
        return USAGE  # cyclopts has printed what is wrong
    sys.stdout.flush()
    return result if isinstance(result, int) else FINISHED


def _system_error(error: OSError) -> int:
    """The exit code for an error of the operating system that no command has put into words."""
    if error.filename == output.NAME:
        output.abandon()
    if isinstance(error, BrokenPipeError):  # `millirec config | head`
        return FAILED
    sentence = f"{error.filename}: {error.strerror}."
    if error.filename is None:
        sentence = f"{error.strerror}."
        if not _current_folder():
            sentence = "the current folder no longer exists: change to another."
        elif error.errno == ENOENT:  # of the module tempfile, whose sentence names the folders
            sentence += " Set TMPDIR to a folder that can be written."
        elif error.errno == EACCES:  # of the module multiprocessing
            sentence += " Locks between processes need a /dev/shm that can be written."
        elif error.errno not in _DISK:
            raise error
    print(f"error: {sentence}", file=sys.stderr)
    return FAILED


def _current_folder() -> bool:
    try:
        return Path.cwd().is_dir()
    except OSError:
        return False


def _say_not_text(error: UnicodeEncodeError, arguments: list[str]) -> None:
    """Name what holds bytes that are no UTF-8: an argument, or else a variable or a file's name."""
    surrogate = error.object[error.start]
    found = next((each for each in arguments if surrogate in each), error.object)
    print(
        f"error: {printable(found[:200])} is not text in UTF-8, as ids, options and the names of "
        "files that the job reads must be: write or rename it in UTF-8.",
        file=sys.stderr,
    )
