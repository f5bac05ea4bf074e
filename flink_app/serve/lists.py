"""Lists as the job wrote them, or the last known ones while Redis is down.

In: names of lists, such as `rec:alice`. Out: their JSON (`bytes`), and whether they are stale.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from flink_app.config import Config
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away, Reader
from udfs.events.whole_ids import stored
from udfs.lists.keys import POPULAR, TRENDING, USER

SHARED = (POPULAR.key, TRENDING.key)
_SHARED_S = 1.0  # how often these are read: the job writes them every lists.popular_every_s
STALE_LISTS = 10_000
"""How many lists are kept for when Redis is down, the last ones requested: 13 MB at 1,281 bytes
each. Everybody else gets the popular list meanwhile."""
_AWAY_S = 0.25  # how often to check whether Redis is back


class Found(NamedTuple):
    """A list's JSON, None if there is none; stale: as it was before Redis went down."""

    value: bytes | None
    stale: bool


class Lists:
    """Reads lists; those shared by everybody are read every second, requested or not.

    Attributes:
        stored: how an id in a request is written in Redis.
        stale_answers: how many lists were answered as last known.
    """

    def __init__(self, reader: Reader, config: Config) -> None:
        self.reader, self._prefix = reader, config.redis.prefix
        self._stale_s = config.serve.stale_s
        self.stored = stored(config.events.ids)
        self._known: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()
        self._shared: dict[str, tuple[float, bytes | None]] = {}
        self.stale_answers = 0
        self._refused = ""

    async def find(self, names: Sequence[str]) -> list[Found]:
        """The lists of these names, read in one round trip.

        Raises:
            Problem: 503, Redis is down and one of them is not remembered, or was read too long ago.
        """
        found = await self._read(names)
        if None in found:
            raise away(self.reader.reason or self._refused)
        return [one for one in found if one is not None]

    async def of_users(self, users: Sequence[str]) -> list[tuple[Found, bool]]:
        """Each user's list, or the popular one; and whether it is the user's own.

        Raises:
            Problem: 503, Redis is down and neither is remembered.
        """
        answers = []
        for one in await self._read([USER.of(self.stored(user)) for user in users]):
            if one is not None and one.value is not None:
                answers.append((one, True))
            else:
                answers.append((self.shared(POPULAR.key), False))
        return answers

    async def _read(self, names: Sequence[str]) -> list[Found | None]:
        """The lists; None for those that are not remembered while Redis is down."""
        try:
            values = await self.reader.get([self._prefix + name for name in names])
        except Away as error:
            self._refused = str(error)
            return [self._remembered(self._known.get(name)) for name in names]
        now, known = time.monotonic(), self._known
        for name, value in zip(names, values, strict=True):
            known[name] = (now, value)
            known.move_to_end(name)
        while len(known) > STALE_LISTS:
            known.popitem(last=False)
        return [Found(value, False) for value in values]

    def shared(self, name: str) -> Found:
        """One of `SHARED`, as read within the last second.

        Raises:
            Problem: 503, see `find`.
        """
        entry = self._shared.get(name)
        if entry is not None and not self.reader.away:
            return Found(entry[1], False)
        found = self._remembered(entry)
        if found is None:
            raise away(self.reader.reason or self._refused)
        return found

    async def refresh(self) -> None:
        """Read `SHARED` once.

        Raises:
            Away: Redis does not answer.
        """
        values = await self.reader.probe([self._prefix + name for name in SHARED])
        now = time.monotonic()
        self._shared = {name: (now, v) for name, v in zip(SHARED, values, strict=True)}

    async def keep(self) -> None:
        """Read `SHARED` periodically until cancelled."""
        while True:
            try:
                await self.refresh()
            except Away:
                await asyncio.sleep(_AWAY_S)
            else:
                await asyncio.sleep(_SHARED_S)

    def _remembered(self, entry: tuple[float, bytes | None] | None) -> Found | None:
        if entry is None or time.monotonic() - entry[0] > self._stale_s:
            return None
        self.stale_answers += 1
        return Found(entry[1], True)


def away(reason: str) -> Problem:
    """The problem for requests that only Redis can answer; `reason` is a sentence."""
    detail = f"{reason or 'Redis has not answered yet.'} What was asked for is not remembered."
    return Problem(503, "redis-away", detail, retry_s=1)
