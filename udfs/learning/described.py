"""When a user learner looks for metadata that has changed, and whose lists it makes anew then.

In: notices of changed items, and the users of each batch. Out: the replica of the items brought up
to date; the users of late of a shard, whose lists are to have a new item, or a hidden one no more,
without waiting for their next event.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

import numpy as np

from udfs.events.item_changes import unpack_notice
from udfs.feed.metadata_reader import MetadataReader
from udfs.learning.learner import Learner
from udfs.memory.metadata import NEVER

USERS = 32
"""Of each shard, so many of the users who were active last get a list anew at once."""
PAUSE_MS = 250
"""How often at most; with eight shards, that is some thousand lists a second at the very most."""


END_MS = 5_000
"""How long the end of the input waits for metadata at most."""


class Recent:
    """The users of one shard who were active last, and what their lists know.

    Attributes:
        names: oldest first. version: of `DescribedStep` when their lists were made anew, at
            `written_ms`.
    """

    def __init__(self) -> None:
        self.names: dict[str, None] = {}
        self.version = self.written_ms = 0

    def add(self, names: Iterable[str]) -> None:
        """Note active users, the last one last."""
        for name in names:
            self.names.pop(name, None)
            self.names[name] = None
        for name in [*self.names][: max(len(self.names) - USERS, 0)]:
            del self.names[name]

    def forget(self, names: Iterable[str]) -> None:
        """Remove users."""
        for name in names:
            self.names.pop(name, None)


class DescribedStep:
    """See the module; one for all shards of a subtask.

    Attributes:
        version: how often lists that were made before have had to change.
    """

    def __init__(self, learner: Learner, reader: MetadataReader) -> None:
        self._learner, self._reader = learner, reader
        self.version = 0

    def expect(self, notice: bytes, now_ms: int) -> None:
        """Take a notice: every shard of the subtask gets it, and the change itself may be here."""
        told, c = unpack_notice(notice), self._learner.catalogue
        slots = c.find([item for item, _ in told])
        known = np.where(slots >= 0, c.metadata.at[slots], -1).tolist()
        news = [one for one, at in zip(told, known, strict=True) if one[1] > at]
        if news:
            self._reader.expect(news, now_ms)

    def look(self, now_ms: int) -> None:
        """Bring the replica up to date, if it is time to look; not in the middle of a batch."""
        changed = False
        if entries := self._reader.read(now_ms):
            changed = self._learner.describe(entries, now_ms)
        elif now_ms >= self._learner.catalogue.metadata.changes_at:
            changed = self._learner.show_items(now_ms)
        self.version += changed

    def end(self, clock: Callable[[], int], sleep: Callable[[float], object] = time.sleep) -> None:
        """At the end of the input: wait for what has been noticed, so that the last lists have it.
        The item learners write it without waiting for anybody; at most `END_MS` go by."""
        last = clock() + END_MS
        while self._reader.waiting and clock() < last:
            self.look(clock())
            sleep(0.005)

    def took(self, recent: Recent, names: Iterable[str]) -> None:
        """Note the users of a batch, if there is metadata of any item."""
        if self.version:
            recent.add(names)

    def due(self, recent: Recent, now_ms: int, *, at_once: bool = False) -> list[str]:
        """The users whose lists to make anew now; `at_once`: without a pause."""
        early = now_ms - recent.written_ms < PAUSE_MS and not at_once
        if recent.version == self.version or early:
            return []
        recent.version, recent.written_ms = self.version, now_ms
        return [*recent.names]

    def next_ms(self, recent: Recent, now_ms: int) -> int:
        """When to look again for this shard, ms; `NEVER`: with the next notice."""
        changes = self._learner.catalogue.metadata.changes_at
        found = [changes] if changes > now_ms else []
        if self._reader.waiting:
            found.append(self._reader.next_ms)
        if recent.version != self.version:
            found.append(recent.written_ms + PAUSE_MS)
        return max(min(found, default=NEVER), now_ms + 1)
