"""Lists of items that meet a condition, as long as was asked for.

In: a condition on the fields of an item, the lists that may hold such items. Out: the JSON of an
answer. The items come from the list that was asked for, then from what follows it in Redis
(`kept:<user>`), then from what is popular in the categories that the condition names, then from
what is popular at all.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.lookup.filtered import Choice, Condition, condition, following
from flink_app.serve.answers import About, Wish, cut, read
from flink_app.serve.item_fields import KEPT_S, ItemFields
from flink_app.serve.lists import Found, Lists, away
from flink_app.serve.problems import Problem
from flink_app.serve.reader import Away
from udfs.lists.contract import EMPTY, UnreadList, consumed_of
from udfs.lists.keys import USER
from udfs.rules.errors import ExpressionError

_MOST = 1_000  # lists that are kept: those of categories, which conditions name
_AT_ONCE = 500  # how many items are tested before other requests get their turn


class Asked(NamedTuple):
    """One list to filter.

    Attributes:
        found, own, known: as of `answer`. user: who asked; None: it is nobody's list.
        rest: the list that follows it, if there is one. consumed: see `Choice`.
    """

    found: Found
    user: str | None = None
    own: bool = True
    known: bool | None = None
    rest: bytes | None = None
    consumed: Sequence[str] = ()


class Filters:
    """Answers requests that have a filter; use it in one event loop."""

    def __init__(self, lists: Lists, fields: ItemFields, config: Config) -> None:
        self._lists, self._fields, self._length = lists, fields, config.lists.length
        self._known: dict[str, UnreadList | None] = {}
        self._since = 0.0

    async def of_users(
        self, users: Sequence[str], wish: Wish, segments: Sequence[str] = ()
    ) -> list[bytes]:
        """The answers for these users' lists; `segments`: as of `Lists.of_users`.

        Raises:
            Problem: the filter cannot be used, or Redis does not answer.
        """
        wanted = check(wish.filter)
        lists = self._lists
        listed, kept, more = await asyncio.gather(  # one round trip for all three
            lists.of_users(users, segments),
            lists.kept(users),
            self._following(USER.key, wanted),
        )
        asked = []
        for user, (found, own), rest in zip(users, listed, kept, strict=True):
            consumed = consumed_of(found.value or b"") if own else ()
            asked.append(Asked(found, user, own, None, rest, consumed))
        return await self._answers(asked, wanted, wish, more)

    async def of(self, asked: Sequence[Asked], wish: Wish, name: str) -> list[bytes]:
        """The answers for some lists; `name`: what follows them is as of a list of this name.

        Raises:
            Problem: see `of_users`, or one of them is not a list.
        """
        wanted = check(wish.filter)
        more = await self._following(name, wanted)
        return await self._answers(asked, wanted, wish, more)

    async def _following(self, name: str, wanted: Condition) -> list[UnreadList]:
        """What follows a list of this name: all requests of a second share what was read."""
        names, now = following(name, wanted), time.monotonic()
        if now - self._since > KEPT_S or len(self._known) > _MOST:
            self._known, self._since = {}, now
        known = self._known  # of this second, whatever becomes of it while Redis is asked
        if missing := [one for one in names if one not in known]:
            found = await self._lists.find(missing)
            values = (read(one.value) if one.value else None for one in found)
            known.update(zip(missing, values, strict=True))
        return [one for one in map(known.__getitem__, names) if one is not None]

    async def _answers(
        self, asked: Sequence[Asked], wanted: Condition, wish: Wish, follow: Sequence[UnreadList]
    ) -> list[bytes]:
        part = replace(wish, n=wish.n or self._length, exclude=())
        enough = (part.n or 0) + wish.offset
        shared, personal = self._tests(wanted, ""), dict[str, _Tests]()
        answers = []
        for one in asked:
            tests = shared
            if "user" in wanted.context and one.user:
                tests = personal.setdefault(one.user, self._tests(wanted, one.user))
            whole, choice = read(one.found.value or EMPTY), Choice(wish.exclude, one.consumed)
            own = [whole, read(one.rest)] if one.rest else [whole]
            try:
                await _take(choice, own, tests, enough, own=True)
                await _take(choice, follow, tests, enough, own=False)
            except Away as error:
                raise away(str(error)) from None
            whole.items = choice.entries
            about = About(one.found.stale, one.user, one.own, one.known, one.found.store)
            answers.append(cut(whole, part, about))
        return answers

    def _tests(self, wanted: Condition, user: str) -> _Tests:
        return _Tests(self._fields, self._lists.hidden.ids, wanted, user)


def check(text: str) -> Condition:
    """The condition that a request states.

    Raises:
        Problem: 400, it is none.
    """
    try:
        return condition(text)
    except ExpressionError as error:
        raise Problem(400, "bad-filter", f"The filter cannot be used: {error}") from None


class _Tests:
    """Which items may be shown and meet a condition, each tested once."""

    def __init__(
        self, fields: ItemFields, hidden: Collection[str], wanted: Condition, user: str
    ) -> None:
        self._fields, self._hidden, self._wanted = fields, hidden, wanted
        self._context = {"now": time.time_ns() // 1_000_000, "user": user}
        self._values: Mapping[str, bytes | None] = {}
        self._known: dict[str, bool] = {}
        self._since = 0

    async def read(self, lists: Iterable[UnreadList]) -> None:
        """Read what is known of the items of these lists, before they are tested.

        Raises:
            Away: Redis does not answer.
        """
        self._values = await self._fields.of(entry.item for one in lists for entry in one.items)
        if len(self._known) - self._since >= _AT_ONCE:
            self._since = len(self._known)
            await asyncio.sleep(0)

    def passes(self, item: str) -> bool:
        """Whether an item of these lists does."""
        found = self._known.get(item)
        if found is None:
            met = item not in self._hidden
            found = met and self._wanted.test(self._values[item], self._context, item)
            self._known[item] = found
        return found


async def _take(
    choice: Choice, lists: Sequence[UnreadList], tests: _Tests, enough: int, own: bool
) -> None:
    """Add what passes of some lists, one list after the other until there is enough."""
    if not lists or len(choice.entries) >= enough:
        return
    await tests.read(lists)
    for one in lists:
        if len(choice.entries) < enough:
            choice.take(one.items, tests.passes, own)
