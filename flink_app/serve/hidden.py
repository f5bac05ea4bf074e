"""Which items may not be shown now, followed in Redis, and lists without them.

In: the set `hidden`, which the job writes, and its notices on the channel `hidden`. Out: the ids
(`frozenset[str]`), and lists (`bytes`) without these items. The set is read at the start, after
each notice, and every few seconds in case a notice was lost. A list is rewritten only if it holds
a hidden item; where nothing is hidden, lists are not looked at.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from flink_app.serve.redis_sources import FAILURES, Source
from udfs.lists.contract import without
from udfs.lists.keys import HIDDEN

log = logging.getLogger(__name__)
_EVERY_S = 5.0  # how often the set is read without a notice
_AGAIN_S = 1.0  # how often where notices cannot be received
_SLICE = "1000"  # how many ids one command asks for: decoding them takes well below a millisecond


class Hidden:
    """See the module; use it in one event loop.

    Attributes:
        ids: the items that may not be shown, as last read.
        changed: called, each with no argument, after `ids` have changed.
    """

    def __init__(self, source: Source, prefix: str) -> None:
        self._source, self._key = source, prefix + HIDDEN
        self.ids: frozenset[str] = frozenset()
        self.changed: list[Callable[[], object]] = []
        self._said, self._stopped = "", False

    def without(self, value: bytes | None) -> bytes | None:
        """A list without hidden items: the same bytes if it holds none.

        What is not a list stays as it is, for whoever reads it to complain about.
        """
        if not self.ids or value is None:
            return value
        return without(value, self.ids)

    async def refresh(self) -> None:
        """Read the set, in slices, so that requests are answered in between.

        Raises:
            One of `FAILURES`: Redis does not answer, or refuses.
        """
        found: set[bytes] = set()
        cursor = "0"
        while True:
            reply = await self._source.call("SSCAN", self._key, cursor, "COUNT", _SLICE)
            cursor = str(int(reply[0]))
            found.update(reply[1])
            if cursor == "0":
                break
        ids = frozenset(one.decode(errors="replace") for one in found)
        if ids != self.ids:
            self.ids = ids
            for tell in self.changed:
                tell()

    def stop(self) -> None:
        """Let `keep` end. Cancel it too; that alone is not enough, because the client of Redis
        takes a cancellation for a timeout of its own if both come together."""
        self._stopped = True

    async def keep(self) -> None:
        """Follow the set until stopped."""
        while not self._stopped:
            try:
                await self._follow()
            except FAILURES as error:
                self._complain(error)
            try:  # without its channel, the set is still read
                await self.refresh()
            except FAILURES as error:
                self._complain(error)
            await asyncio.sleep(_AGAIN_S)

    async def _follow(self) -> None:
        async with self._source.listening(self._key) as notices:
            await self.refresh()
            while not self._stopped:
                # One read answers all notices that came before it.
                waiting = await notices.get_message(timeout=_EVERY_S)
                while waiting is not None:
                    waiting = await notices.get_message(timeout=0.0)
                await self.refresh()
                self._said = ""

    def _complain(self, error: BaseException) -> None:
        if str(error) != self._said:
            self._said = str(error)
            log.warning("the items that may not be shown (%s) cannot be read: %s", self._key, error)
