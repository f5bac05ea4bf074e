"""Compressed files that come into a watched folder, unpacked for the job while it runs.

In: a folder whose files of some endings Flink leaves alone (`graph.inputs`). Out: their lines, each
in a file beside it that the job reads as any other; and a warning for each that cannot be read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from flink_app.graph.inputs import files_below, is_left_alone, unpack
from udfs.errors import SourceError
from udfs.events.text_files import codec

SUFFIX = " (unpacked)"
"""What follows the name of a file in that of its lines."""

_POLL_S = 1.0


class Arrivals:
    """Watches a folder in a thread between `start` and `stop`; a file is unpacked once, as soon as
    it can be read to its end.

    Attributes:
        unread: why a file is not read, by file.
    """

    def __init__(self, folder: Path, encoding: str) -> None:
        self.unread: dict[Path, str] = {}
        self._folder, self._encoding = folder, encoding
        self._failed: dict[Path, tuple[int, int]] = {}  # its size and time then
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, warn: Callable[[str], None]) -> None:
        """Begin; `warn` is called from the thread."""
        self._thread = threading.Thread(target=self._follow, args=(warn,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * _POLL_S)

    def _follow(self, warn: Callable[[str], None]) -> None:
        while not self._ended.is_set():
            with suppress(OSError):  # removed while it was looked at
                self.look(warn)
            self._ended.wait(_POLL_S)

    def look(self, warn: Callable[[str], None]) -> None:
        """Unpack what is new; warn once of a file that cannot be read and grows no more."""
        for file in files_below(self._folder):
            lines = file.with_name(file.name + SUFFIX)
            if not is_left_alone(file) or lines.exists():
                continue
            found = file.stat()
            mark = found.st_size, found.st_mtime_ns
            try:
                unpack(file, lines, self._encoding, codec(self._encoding))
                self.unread.pop(file, None)
            except (SourceError, OSError) as error:
                if self._failed.get(file) == mark and file not in self.unread:
                    self.unread[file] = str(error)
                    warn(f"{error}; its events are not learned")
                self._failed[file] = mark
