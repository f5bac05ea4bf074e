"""How many lines the files of a run hold, counted beside the job and without Flink.

In: the files as they were given. Out: their lines, with which the summary compares what the job has
received; or why they cannot be compared.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from flink_app.config import Config
from flink_app.graph.sources import elsewhere, files_of, paths_in, paths_of
from udfs.errors import SourceError
from udfs.events.text_files import count_lines

_WAIT_S = 60.0  # for a count that is not ready when the job is


class LineCount:
    """Counts in a thread from its creation on.

    Args:
        files, encoding: see `udfs.events.text_files`. unlike: why the job does not read just these
            lines, "" if there are no files; None if it does.
    """

    def __init__(self, files: Sequence[Path], encoding: str, unlike: str | None = None) -> None:
        self._files, self._encoding, self._unlike = files, encoding, unlike
        self._before = [_mark(file) for file in files]
        self._lines = 0
        self._fault: SourceError | None = None
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
            self._fault = error

    def result(self) -> tuple[int | None, str]:
        """The number of lines, or None and why it says nothing about what the job has read."""
        if self._unlike is not None:
            return None, self._unlike
        self._thread.join(_WAIT_S)
        if self._thread.is_alive():
            return None, "counting them takes longer than the job did"
        for file, before in zip(self._files, self._before, strict=True):
            if _mark(file) != before:
                return None, f"{file} has changed since"
        if self._fault is not None:
            return None, str(self._fault)
        return self._lines, ""

    def fault(self, wait_s: float) -> SourceError | None:
        """What is wrong with a file that cannot be read to its end, if it is found by then."""
        self._thread.join(wait_s)
        return self._fault

    def stop(self) -> None:
        """Count no further."""
        self._ended = True


def count_of(config: Config) -> LineCount:
    """The count for a job.

    Raises:
        SourceError: a file or folder does not exist, or is of the wrong kind.
    """
    if config.source.kind != "files" or not config.bounded:
        return LineCount([], "", "")
    if config.state.restore:
        return LineCount([], "", "the job was restored, and had read some of their lines before")
    items = config.items.kind == "files"
    if elsewhere(config.source) or (items and elsewhere(config.items)):
        return LineCount([], "", "they are on other machines")
    paths = paths_of(config)
    if items:
        paths = [*paths, *paths_in(config.items)]
    return LineCount(files_of(paths), config.source.encoding)


def _mark(file: Path) -> tuple[int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns
