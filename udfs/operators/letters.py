"""The operator `letters`: keeps dead letters from Flink's file sink while it could not write them.

In: dead letters, JSON strings. Out: the same, while their folder takes files; otherwise none, a
warning with the cause, and a count. An error in the sink would end the job, and the next one: the
line that cannot be written is read again after each restart. It runs beside the sink, on the same
machine, which on a cluster need not be that of `parse`.
"""

from __future__ import annotations

import logging
import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any

from pyflink.datastream import ProcessFunction, RuntimeContext

from udfs.accounts import NOT_WRITTEN
from udfs.operators.code_check import CodeChecked

_RESERVE = 8 << 20
"""Bytes that stay free on the disk: more than the sink writes between two looks."""

_LOOK_BYTES = 1 << 20
_LOOK_S = 0.5

log = logging.getLogger(__name__)


class Letters(CodeChecked, ProcessFunction):  # type: ignore[misc]
    """See the module.

    Args:
        folder: an absolute path on the sink's machine, where each hour has a folder.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def open(self, context: RuntimeContext) -> None:
        """Register the counter."""
        self._kept_back = context.get_metrics_group().counter("letters_not_written")
        self._obstacle, self._missed = "", 0
        self._passed, self._looked = 0, -_LOOK_S

    def process_element(self, letter: str, context: ProcessFunction.Context) -> Iterator[Any]:
        """Pass a letter on, or count it."""
        self._passed += len(letter)
        now = time.monotonic()
        if self._passed >= _LOOK_BYTES or now - self._looked >= _LOOK_S:
            self._passed, self._looked = 0, now
            self._notice(obstacle(self._folder))
        if not self._obstacle:
            yield letter
            return
        self._missed += 1
        self._kept_back.inc()

    def _notice(self, found: str) -> None:
        """Say what has changed, once."""
        before, self._obstacle = self._obstacle, found
        if found and not before:
            log.warning("%s: %s", NOT_WRITTEN, found)
        elif before and not found:
            log.warning("dead letters are written again; %d were only counted", self._missed)


def obstacle(folder: str) -> str:
    """Why no more letters can be written to a folder; "" if they can.

    >>> obstacle("/dev/null")[-17:]
    ': Not a directory'
    """
    # Flink puts the letters of an hour into a folder of its own.
    hour = os.path.join(folder, time.strftime("%Y-%m-%d--%H"))  # noqa: PTH118
    try:
        os.makedirs(hour, exist_ok=True)  # noqa: PTH103
        with tempfile.TemporaryFile(dir=hour):
            pass
        disk = os.statvfs(hour)
    except OSError as error:
        return f"{error.filename if isinstance(error.filename, str) else hour}: {error.strerror}"
    free = disk.f_bavail * disk.f_frsize
    if free < _RESERVE:
        return f"{folder}: the disk has {free >> 10:,} KiB left"
    return ""
