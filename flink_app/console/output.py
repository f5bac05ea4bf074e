"""Standard output and standard error of a command, whatever they are connected to.

In: the streams as the process got them: a terminal that knows no accents, a full disk, a closed
pipe, nothing at all. Out: streams that take any text, and the sentence for one that takes none.
"""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from typing import TextIO

_IN_ASCII = str.maketrans({"→": "->", "…": "...", "·": "-", "×": "x", "●": "*", "○": "o"})
_ESCAPED = "millirec"
NAME = "standard output"
"""The file name in errors of standard output."""

NARROWEST = 20
"""Columns: tables in a narrower terminal are wrapped by it; below 4 their layout never ends."""


def prepare() -> None:
    """Make the streams of this process take any text; those that a test put in place stay."""
    _open_closed()
    codecs.register_error(_ESCAPED, _escape)
    if sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _again(_Output, sys.stdout)
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr = _again(_Messages, sys.stderr)
    if shutil.get_terminal_size().columns < NARROWEST:
        os.environ["COLUMNS"] = str(NARROWEST)


def _again(kind: type[io.TextIOWrapper], stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The stream as one of another class, which escapes what its encoding does not have."""
    encoding, lines = stream.encoding, stream.line_buffering
    return kind(stream.detach(), encoding=encoding, errors=_ESCAPED, line_buffering=lines)


def abandon() -> None:
    """Give up standard output: at the end, what it did not take would be tried again, and fail."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Output(io.TextIOWrapper):
    """Standard output. Its errors have a name, as those of files have."""

    def write(self, text: str, /) -> int:
        with _named():
            return super().write(text)

    def flush(self) -> None:
        with _named():
            super().flush()


@contextlib.contextmanager
def _named() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, NAME) from error


class _Messages(io.TextIOWrapper):
    """Standard error. What cannot be written there is lost, but the command goes on: a log on a
    full disk or the window that a job was started from must not end the job."""

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            return super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def _open_closed() -> None:
    """Connect closed streams (`>&-`) to nothing; the next file that is opened would get their
    numbers, and with them what other processes print."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, this one
    if sys.stdout is None:
        sys.stdout = _nothing()
    if sys.stderr is None:
        sys.stderr = _nothing()


def _nothing() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123


def _escape(error: UnicodeError) -> tuple[str, int]:
    """What stands for characters that an encoding does not have: escapes as in JSON and TOML.

    >>> codecs.register_error("millirec", _escape)
    >>> "3 → José \U0001f600 \\udcff".encode("ascii", "millirec").decode()
    '3 -> Jos\\\\u00e9 \\\\ud83d\\\\ude00 \\\\udcff'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = ""
    for letter in error.object[error.start : error.end].translate(_IN_ASCII):
        units = letter if letter.isascii() else letter.encode("utf-16-be", "surrogatepass")
        if isinstance(units, str):
            text += units
        else:
            text += "".join(f"\\u{units[n : n + 2].hex()}" for n in range(0, len(units), 2))
    return text, error.end
