"""A user shard's step without Flink: its state in memory, its timers fired by hand.

In: the configuration of a job. Out: a `UserStep`, and CPU time by part of what it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from udfs.feed.metadata_reader import MetadataReader
from udfs.learning.effects import END, Effect, Emit, Wake, Write
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles
from udfs.learning.user_step import UserStep
from udfs.lists.keys import USER
from udfs.models.settings import Settings
from udfs.ranking.recommender import Recommender
from udfs.state.handles import MemoryRows
from udfs.stores.redis_lists import RedisLists
from udfs.stores.redis_marks import RedisMarks
from udfs.stores.redis_metadata import RedisMetadata
from udfs.stores.redis_writer import RedisSettings, RedisWriter

KEY = 7  # of the shard


class Cpu:
    """CPU time by part, in seconds; what is spent in an inner part is not the outer one's."""

    def __init__(self, parts: Iterable[str]) -> None:
        self.spent = dict.fromkeys(parts, 0.0)
        self._part, self._at = "", 0.0

    def switch(self, part: str) -> str:
        """Spend time on another part from now on, "" for none; returns the one before."""
        now, before = time.process_time(), self._part
        if before:
            self.spent[before] += now - self._at
        self._part, self._at = part, now
        return before

    def timed(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call, its time counted to `part`."""

        def timed(*args: Any) -> Any:
            before = self.switch(part)
            try:
                return call(*args)
            finally:
                self.switch(before)

        return timed


class _Cell:
    data: bytes | None = None

    def value(self) -> bytes | None:
        return self.data

    def update(self, value: bytes) -> None:
        self.data = value

    def clear(self) -> None:
        self.data = None


class _Log(list[bytes]):
    def get(self) -> list[bytes]:
        return self

    def add(self, value: bytes) -> None:
        self.append(value)


class _Alone:
    """The feed of a job with one TaskManager: it has nothing to say."""

    read, settled = 0, True

    def refresh(self, models: Recommender) -> int:
        return 0


class Shard:
    """One shard of a user learner.

    Args:
        url: of Redis. cpu: counts `learn` (with messages), `rank` (with JSON), `redis`; `step`,
            which is the rest of a batch; and `timers`, lists that are not a user's included.

    Attributes:
        now: the wall clock, ms. lists: users' lists written.
    """

    def __init__(self, settings: Settings, url: str, cpu: Cpu) -> None:
        self.now, self.lists, self._cpu = 0, 0, cpu
        self._due: set[int] = set()
        writer = RedisWriter(RedisSettings(url))
        self._store, self.learner = RedisLists(settings, writer), Learner(settings)
        rows, cells = [MemoryRows() for _ in range(11)], [_Cell() for _ in range(4)]
        made: tuple[Any, ...] = (*rows[:4], *cells, _Log(), *rows[4:])
        state, job = Handles(*made), JobSettings(options=settings, item_keys=[1])
        marks = partial(RedisMarks, writer, "")
        metadata = MetadataReader(RedisMetadata(writer, ""), 1)
        self._step = UserStep(job, state, self.learner, _Alone(), metadata, marks, lambda: self.now)
        self.learner.compile()
        lists = self.learner.user_lists

        def written(*args: Any) -> Any:
            made = lists(*args)
            _ = [some.json for some in made]
            return made

        for name, part, call in (
            ("learn", "learn", self.learner.learn),
            ("messages", "learn", self.learner.messages),
            ("user_lists", "rank", written),
        ):
            setattr(self.learner, name, cpu.timed(part, call))

    def batch(self, data: bytes) -> list[bytes]:
        """Fire the timers that are due, then learn a packed batch; returns its messages."""
        for at in sorted(at for at in self._due if at <= self.now):
            self._due.remove(at)
            self._carry_out("timers", self._step.timer(KEY, at))
        return self._carry_out("step", self._step.batch(KEY, data))

    def _carry_out(self, part: str, effects: Iterable[Effect]) -> list[bytes]:
        messages: list[bytes] = []
        before = self._cpu.switch(part)
        for effect in effects:
            if isinstance(effect, Emit):
                messages.append(effect.message)
            elif isinstance(effect, Write):
                self.lists += sum(len(some) for some in effect.updates if some.kind == USER)
                self._cpu.timed("redis" if part == "step" else part, self._store.write)(
                    effect.updates
                )
            elif isinstance(effect, Wake) and effect.at_ms != END:
                self._due.add(effect.at_ms)
        self._cpu.switch(before)
        return messages
