"""How many lines the files of a run hold, counted beside the job and without Flink.

In: the files as they were given. Out: their lines, with which the summary compares what the job has
received; or why they cannot be compared.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from flink_app.config import Config
from flink_app.graph.sources import files_of, paths_of
from udfs.errors import SourceError
from udfs.events.text_files import count_lines

_WAIT_S = 60.0  # for a count that is not ready when the job is


class LineCount:
    """Counts in a thread from its creation on.

    Attributes:
        fault: what is wrong with a file that cannot be read to its end; None as long as nothing is.
    """

    def __init__(self, files: Sequence[Path], encoding: str) -> None:
        self.fault: SourceError | None = None
        self._files, self._encoding = files, encoding
        self._before = [_mark(file) for file in files]
        self._lines = 0
        self._ended = False
        self._thread = threading.Thread(target=self._count, daemon=True)
        self._thread.start()

    def _count(self) -> None:
        try:
            for file in self._files:
                for lines in count_lines(file, self._encoding):
                    self._lines += lines
                    if self._ended:
                        return
        except SourceError as error:
            self.fault = error

    def result(self) -> tuple[int | None, str]:
        """The number of lines, or None and why it says nothing about what the job has read."""
        self._thread.join(_WAIT_S)
        if self._thread.is_alive():
            return None, "counting them takes longer than the job did"
        for file, before in zip(self._files, self._before, strict=True):
            if _mark(file) != before:
                return None, f"{file} has changed since"
        if self.fault is not None:
            return None, str(self.fault)
        return self._lines, ""

    def stop(self) -> None:
        """Count no further."""
        self._ended = True


def count_of(config: Config) -> LineCount | None:
    """The count for a job that reads files from the beginning to their ends; None for others."""
    if config.source.kind != "files" or config.state.restore:
        return None
    return LineCount(files_of(paths_of(config)), config.source.encoding)


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
