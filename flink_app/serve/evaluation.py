"""What the last evaluation found, for the operator's page: read again whenever its file changes.

In: `serve.evaluation`, a file of `millirec evaluate --out`. Out: JSON (`bytes`): the sentences,
numbers to draw and tables of `millirec report` about it; or a sentence that says what is missing.
"""

from __future__ import annotations

import logging
import stat
import threading
from pathlib import Path

import msgspec

from flink_app.config.paths import local
from flink_app.console.live import counted
from flink_app.evaluate.results import OWN, decoded
from flink_app.report.closer import closer_sections
from flink_app.report.page import Section
from udfs.errors import SourceError

log = logging.getLogger(__name__)
LARGEST = 16 << 20
"""Bytes of a file: evaluations of hundreds of runs have one."""
HOW = "millirec evaluate events.jsonl --items items.jsonl --users users.jsonl --out evaluation.json"
NONE = (
    "No evaluation is shown. One tells what each step of re-ranking gives and takes, who is served "
    f"worse than average, and whether quality changes: {HOW}, then millirec serve --evaluation "
    "evaluation.json."
)
_NO_CLOSER = "has no figures of re-ranking, of groups of users or over time. Make it anew: "
_State = tuple[int, int, int, int]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows.

    Attributes:
        at: when the file was written, ms; 0: there is nothing to show, and `text` says why.
    """

    at: int = 0
    text: str
    sections: list[Section] = []


class Evaluation:
    """The file's content as JSON. Threads may share it.

    Args:
        path: of the file, which may be written or replaced at any time; "" for none.
    """

    def __init__(self, path: str) -> None:
        self._path = local(path) if path else None
        self._lock = threading.Lock()
        self._state: _State | None = None
        self._body = msgspec.json.encode(Told(text=NONE))

    def body(self) -> bytes:
        """What there is to show now; it reads the file if that is another one than before."""
        if self._path is None:
            return self._body
        with self._lock:
            try:
                at = self._path.stat()
                state = (at.st_dev, at.st_ino, at.st_size, at.st_mtime_ns)
                if state != self._state:
                    whole = stat.S_ISREG(at.st_mode)
                    self._body = msgspec.json.encode(_told(self._path, at.st_mtime, whole))
                    self._state = state
            except OSError as error:
                self._state = None
                text = f"{self._path.name} cannot be read: {error.strerror}. {NONE}"
                self._body = msgspec.json.encode(Told(text=text))
            return self._body


def _told(path: Path, at_s: float, regular: bool) -> Told:
    """What a file holds, or what is wrong with it.

    Raises:
        OSError: it cannot be read.
    """
    try:
        if not regular:  # a pipe would block
            raise SourceError(f"{path.name} is not a file: name one of `millirec evaluate --out`.")
        return _read(path, at_s)
    except SourceError as error:
        log.warning("serve.evaluation: %s", error)
        return Told(text=str(error))


def _read(path: Path, at_s: float) -> Told:
    with path.open("rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise SourceError(
            f"{path.name} is larger than {LARGEST >> 20} MB: name a file of one "
            "`millirec evaluate --out`."
        )
    found = decoded(data, Path(path.name))
    own = [one for one in found if one.model == OWN and one.closer is not None]
    sections = [part for one in own if one.closer for part in closer_sections(one.closer)]
    if not sections:
        raise SourceError(f"{path.name} {_NO_CLOSER}{HOW}.")
    return Told(at=int(1000 * at_s), text=counted(own[0].events, "event"), sections=sections)
