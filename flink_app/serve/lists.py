"""Lists as the job wrote them, or the last known ones while Redis is down.

In: names of lists, such as `rec:alice`. Out: their JSON (`bytes`) without the items that may not be
shown now, and whether they are stale.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from flink_app.config import Config
from flink_app.config.pseudonyms import stored_user
from flink_app.lookup.segments import as_list, keys_of
from flink_app.serve.hidden import Hidden
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away, Reader
from flink_app.serve.second_source import SecondSource
from udfs.events.whole_ids import stored
from udfs.lists.keys import KEPT, POPULAR, TRENDING, USER

SHARED = (POPULAR.key, TRENDING.key)
_SHARED_S = 1.0  # how often these are read: the job writes them every lists.popular_every_s
STALE_LISTS = 10_000
"""How many lists are kept for when Redis is down, the last ones requested: 13 MB at 1,281 bytes
each. Everybody else gets the popular list meanwhile."""
_AWAY_S = 0.25  # how often to check whether Redis is back


class Found(NamedTuple):
    """A list's JSON, None if there is none; stale: as it was before Redis went down; store: where
    it comes from, if not from Redis."""

    value: bytes | None
    stale: bool
    store: str = ""


class Lists:
    """Reads lists; those shared by everybody are read every second, requested or not.

    Attributes:
        hidden: which items are left out. second: where lists are that Redis has not; None: nowhere.
        stored: how the id of an item in a request is written in Redis.
        stored_user: the same of a user.
        stale_answers: how many lists were answered as last known.
    """

    def __init__(
        self, reader: Reader, config: Config, hidden: Hidden, second: SecondSource | None = None
    ) -> None:
        self.reader, self._prefix = reader, config.redis.prefix
        self.hidden, self.second = hidden, second
        self._stale_s = config.serve.stale_s
        self._kept, self._length = config.lists.kept > 0, config.lists.length
        self.stored, self.stored_user = stored(config.events.ids), stored_user(config)
        self._known: OrderedDict[str, tuple[float, bytes | None]] = OrderedDict()
        self._shared: dict[str, tuple[float, bytes | None]] = {}
        self.stale_answers = 0
        self._refused = ""

    def forget(self, user: str) -> None:
        """Do not remember the list of a user any more, by the id in Redis."""
        self._known.pop(USER.of(user), None)

    async def find(self, names: Sequence[str]) -> list[Found]:
        """The lists of these names, read in one round trip.

        Raises:
            Problem: 503, Redis is down and one of them is not remembered, or was read too long ago.
        """
        found = await self._read(names)
        if None in found:
            raise away(self.reader.reason or self._refused)
        return [self._shown(one) for one in found if one is not None]

    async def of_users(
        self, users: Sequence[str], segments: Sequence[str] = ()
    ) -> list[tuple[Found, bool]]:
        """Each user's list, or the one that strangers get; and whether it is the user's own.

        Args:
            segments: what is known of strangers; without any, they get the popular list.

        Raises:
            Problem: 503, Redis is down and neither is remembered.
        """
        names = [USER.of(self.stored_user(user)) for user in users]
        if segments:
            shared = keys_of(segments)[:-1]  # what is popular is read already
            found, parts = await asyncio.gather(self._read(names), self._read(shared))
        else:
            found, parts = await self._read(names), []
        if self.second is not None:
            found = await self._elsewhere(users, found, self.second)
        stranger: Found | None = None
        answers = []
        for one in found:
            if one is not None and one.value is not None:
                answers.append((self._shown(one), True))
                continue
            if stranger is None:
                stranger = self._stranger(parts)
            answers.append((stranger, False))
        return answers

    async def _elsewhere(
        self, users: Sequence[str], found: list[Found | None], second: SecondSource
    ) -> list[Found | None]:
        """The lists, those that Redis has not from the second source."""
        missing = [at for at, one in enumerate(found) if one is None or one.value is None]
        if missing:
            values = await second.lists([self.stored_user(users[at]) for at in missing])
            for at, value in zip(missing, values, strict=True):
                if value is not None:
                    found[at] = Found(value, False, second.name)
        return found

    def _stranger(self, parts: Sequence[Found | None]) -> Found:
        """The list of somebody of whom only segments are known, or the popular one."""
        popular = self.shared(POPULAR.key)
        values = [one.value if one is not None else None for one in parts]
        made = as_list([*values, popular.value], self._length) if values else None
        if made is None:
            return popular
        stale = popular.stale or any(one.stale for one in parts if one is not None)
        return self._shown(Found(made, stale))

    async def kept(self, users: Sequence[str]) -> list[bytes | None]:
        """What follows each user's list, if that is kept. Asked together with `of_users`, it is
        read in the same round trip.

        Raises:
            Problem: 503, Redis is down.
        """
        if not self._kept:
            return [None] * len(users)
        keys = [f"{self._prefix}{KEPT.of(self.stored_user(user))}" for user in users]
        try:
            return await self.reader.get(keys)
        except Away as error:
            if self.reader.away:
                raise away(str(error)) from None
            return [None] * len(keys)  # the rights are those of an earlier release

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

    def _drop_old(self) -> None:
        """Drop the lists that are too old to be served: nobody's stays here for longer."""
        oldest, known = time.monotonic() - self._stale_s, self._known
        while known and next(iter(known.values()))[0] < oldest:
            known.popitem(last=False)

    def shared(self, name: str) -> Found:
        """One of `SHARED`, as read within the last second.

        Raises:
            Problem: 503, see `find`.
        """
        entry = self._shared.get(name)
        if entry is not None and not self.reader.away:
            return self._shown(Found(entry[1], False))
        found = self._remembered(entry)
        if found is None:
            raise away(self.reader.reason or self._refused)
        return self._shown(found)

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
            self._drop_old()
            try:
                await self.refresh()
            except Away:
                await asyncio.sleep(_AWAY_S)
            else:
                await asyncio.sleep(_SHARED_S)

    def _shown(self, found: Found) -> Found:
        value = self.hidden.without(found.value)
        return found if value is found.value else found._replace(value=value)

    def _remembered(self, entry: tuple[float, bytes | None] | None) -> Found | None:
        if entry is None or time.monotonic() - entry[0] > self._stale_s:
            return None
        self.stale_answers += 1
        return Found(entry[1], True)


def away(reason: str) -> Problem:
    """The problem for requests that only Redis can answer; `reason` is a sentence."""
    detail = f"{reason or 'Redis has not answered yet.'} What was asked for is not remembered."
    return Problem(503, "redis-away", detail, retry_s=1)
