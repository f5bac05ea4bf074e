"""A model of a team's own that serves from its file: loaded, asked, timed, loaded again.

In: the path of a file and what opens it. Out: what the model says, or None where it fails or has
become slow: whoever asks goes on without it, and the stream with them. What has happened is
counted for `stats` and said in the log.

The file is looked at once a second at most, between batches. One that cannot be used leaves the
model that was there.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from udfs.errors import ConfigError
from udfs.models.own.network import ModelFailure

LOOK_MS = 1000
"""How often the file is looked at."""
GRACE_US, SLOW_US = 50_000, 5_000
"""A call is slow that takes longer than both together: once, and for each list. A stream that
refreshes thousands of lists a second has less than a millisecond for each."""
SLOW_CALLS = 3
"""So many slow calls in a row, and the model rests: one alone may be the machine's fault."""
REST_S = 30.0
"""For how long it is then left alone, before it is tried again."""
_SAY_S = 60.0  # how often the same trouble is told

log = logging.getLogger(__name__)
T = TypeVar("T")
R = TypeVar("R")


class OwnFile(Generic[T]):
    """See the module.

    Args:
        name: of the model, for `stats`. option: that names the file.
        path: of the file. open_: makes the model from it, or raises ConfigError.
        patient: whether slow calls are accepted: in strict mode, lists depend on no clock.

    Attributes:
        model: as of now. silent: whether it said nothing when it was asked last.

    Raises:
        ConfigError: the file cannot be used from the beginning.
    """

    def __init__(
        self, name: str, option: str, path: str, open_: Callable[[Path], T], *, patient: bool
    ) -> None:
        self.name, self._option, self._open, self._patient = name, option, open_, patient
        self._path = Path(path)
        self._seen = _mark(self._path)
        self.model = open_(self._path)
        self._looked_ms, self.silent = 0, False
        self._slow, self._rests_until, self._said = 0, 0.0, dict[str, float]()
        self._counts: dict[str, int] = {}

    def look(self, now_ms: int) -> bool:
        """Load the file again if it has changed; whether it was."""
        if 0 <= now_ms - self._looked_ms < LOOK_MS:
            return False
        self._looked_ms, mark = now_ms, _mark(self._path)
        if mark == self._seen or mark is None:  # one that is gone may be about to be replaced
            return False
        self._seen = mark
        try:
            self.model = self._open(self._path)
        except ConfigError as error:
            self._count("refused")
            log.warning("%s The model that was loaded before goes on.", error)
            return False
        self._slow, self._rests_until = 0, 0.0
        self._count("loaded")
        log.info("%s: %s has changed, and is loaded", self._option, self._path)
        return True

    def ask(self, lists: int, call: Callable[[T], R]) -> R | None:
        """What `call` makes of the model, for so many lists; None where there is nothing: these
        lists are made without it."""
        began, self.silent = time.perf_counter(), True
        if began < self._rests_until:
            self._count("without", lists)
            return None
        try:
            found = call(self.model)
        except ModelFailure as error:
            self._count("failed")
            self._count("without", lists)
            self._say("failed", "%s: the model has failed, lists are made without it: %s", error)
            return None
        took = int((time.perf_counter() - began) * 1e6)
        self._count("lists", lists)
        self._count("us", took)
        self._pace(took, lists)
        self.silent = False
        return found

    def _pace(self, us: int, lists: int) -> None:
        """Let the model rest if it is slow."""
        if self._patient or us <= GRACE_US + SLOW_US * lists:
            self._slow = 0
            return
        self._slow += 1
        if self._slow < SLOW_CALLS:
            return
        self._slow = SLOW_CALLS - 1  # after the rest, one slow call is enough
        self._rests_until = time.perf_counter() + REST_S
        self._count("slow")
        told = f"{us / 1000:.0f} ms for {lists} lists; the next {REST_S:.0f} s are without it"
        self._say("slow", "%s: the model is slow, %s", told)

    def take(self) -> dict[str, int]:
        """What has happened since the last call, by `<name>:<what>`: `lists` that it was asked for,
        `us`, how long that took, in microseconds; lists made `without` it; how often it `failed`,
        was `slow`, and its file was `loaded` again or `refused`."""
        found, self._counts = self._counts, {}
        return {f"{self.name}:{what}": n for what, n in found.items()}

    def _count(self, what: str, n: int = 1) -> None:
        self._counts[what] = self._counts.get(what, 0) + n

    def _say(self, what: str, text: str, told: object) -> None:
        """Log a trouble, but not each time."""
        now = time.monotonic()
        if now - self._said.get(what, -_SAY_S) >= _SAY_S:
            self._said[what] = now
            log.warning(text, self._option, told)


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What tells a file from another one at the same place; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
