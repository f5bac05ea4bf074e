"""No id of a user may be in a log: what the tests let be logged is searched for their users' names.

In: records of Python's logging, of tests and of what they call; the files to which Java and
`millirec run` log. Out: a failed test, or a failed session, that says what was logged.
"""

from __future__ import annotations

import logging
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

USERS = re.compile(r"\b(alice|ann|anon-\d+|bob|bea|carol|cid|dora|zo\u00eb|u\d+)\b")
"""Ids that tests use for users, and never for anything else."""


def named(text: str) -> list[str]:
    """The lines of a text that name a user.

    >>> named("the user 'ann' is new\\nan announcement")
    ["the user 'ann' is new"]
    """
    return [line for line in text.splitlines() if USERS.search(line)]


class Watch(logging.Handler):
    """Keeps what records name users, until it is asked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`. Tracebacks show lines of tests; what the errors say is enough."""
        said = [record.getMessage()]
        error = record.exc_info[1] if record.exc_info else None
        while error is not None:
            said.append(str(error))
            error = error.__cause__ or error.__context__
        self.found += named("\n".join(said))


def in_files(folders: Iterator[Path], since: float) -> list[str]:
    """The lines of log files below some folders, written since then, that name users."""
    return [
        f"{file}: {line}"
        for folder in folders
        for file in folder.rglob("*.log")
        if file.stat().st_mtime >= since and file.name != "redis.log"
        for line in named(file.read_text(errors="replace"))
    ]


def folders_of_runs() -> Iterator[Path]:
    """Where `millirec run` puts its logs."""
    return Path(tempfile.gettempdir()).glob("millirec-*")
