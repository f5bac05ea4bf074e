"""Writes events: the common interface of writers, and those for a file and a watched directory.

In: batches of events, each a line of JSON as bytes without a newline. Out: a file of JSON lines, or
many small ones renamed into a directory (the embedded live source). `kafka.py` holds the third.
"""

from __future__ import annotations

import os
import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path

from udfs.errors import ServiceError

TICK_S = 0.02
"""Seconds between two batches where a rate is given: the job's micro-batch window."""


class Writer(ABC):
    """Accepts batches of events; a context manager that closes it."""

    @abstractmethod
    def write(self, lines: Sequence[bytes]) -> None:
        """Write a batch of events, in order; ServiceError if it cannot be written."""

    @abstractmethod
    def flush(self) -> None:
        """Make everything written so far visible to readers; ServiceError if that fails."""

    def close(self) -> None:
        """Flush, and release files and connections."""
        self.flush()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class FileWriter(Writer):
    """One file of JSON lines, replaced if it exists; ServiceError if it cannot be opened."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("wb")
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, lines: Sequence[bytes]) -> None:
        """Append the batch."""
        try:
            self._file.writelines(line + b"\n" for line in lines)
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def flush(self) -> None:
        """Empty the buffer into the file."""
        try:
            self._file.flush()
        except OSError as error:
            raise _cannot_write(self._path, error) from error

    def close(self) -> None:
        """Flush and close the file."""
        try:
            self._file.close()
        except OSError as error:
            raise _cannot_write(self._path, error) from error


class DirectoryWriter(Writer):
    """A watched directory, created if missing: each batch becomes one file, which appears at once.

    A file is written under a name that begins with a dot, which readers ignore, and then renamed
    to `<milliseconds>-<8 random hex digits>-<number>.jsonl`: names sort by when a writer began, and
    no two writers share one, not even of a process in the same millisecond.
    durable: a batch survives a power loss once `write` has returned.
    """

    def __init__(self, path: Path, durable: bool = False) -> None:
        self._path, self._durable = path, durable
        self._run = f"{time.time_ns() // 1_000_000}-{secrets.token_hex(4)}"
        self._written = 0
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _cannot_write(path, error) from error

    def write(self, lines: Sequence[bytes]) -> None:
        """Write the batch as one file; an empty batch gets none."""
        if not lines:
            return
        name = f"{self._run}-{self._written:08d}.jsonl"
        hidden = self._path / f".{name}"
        try:
            with hidden.open("wb") as file:
                file.write(b"\n".join(lines) + b"\n")
                if self._durable:
                    file.flush()
                    os.fsync(file.fileno())
            hidden.rename(self._path / name)
            if self._durable:
                _sync_folder(self._path)
        except OSError as error:
            raise _cannot_write(self._path, error) from error
        self._written += 1

    def flush(self) -> None:
        """Nothing is buffered: each batch is in place when `write` returns."""


def _sync_folder(path: Path) -> None:
    """Sync the names in a folder to the disk, as `fsync` does for the content of a file."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _cannot_write(path: Path, error: OSError) -> ServiceError:
    """The exception for an operating system's error at a path."""
    reason = error.strerror or str(error)
    return ServiceError(
        f"Events cannot be written to {path}: {reason}. Choose another path, or make this one"
        " writable."
    )
