"""Which ids are one person: the links that stand, and what the user learner is told of changes.

In: links between ids, and ids that are parted from all others, each with its time, in any order.
Out: `Joined` messages; the records of the ids changed. Two ids are one person if they are linked,
one after the other, by links that are newer than the last parting of both of their ids: so the
order of arrival does not matter, nor does it how often a line comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from udfs.events.joined import Joined
from udfs.events.people import CONSENT, LISTS, PERSONALISE, PROFILE, PersonChange
from udfs.learning.forgotten import Mark
from udfs.learning.identity_ids import Ids
from udfs.state.item_records import Record

MOST = 64
"""Ids of a person at most. Lists are written under each of them; a browser that forgets its cookies
gets a new one each time. Beyond it, the id that was linked and seen longest ago is parted."""
_ATTRIBUTES, _OWN = "attributes", "attributes."


class Persons:
    """See the module; `ids` has the records."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids

    def place(self, id_: str) -> str:
        """The id that the row of a person is kept under."""
        return self._ids.get(id_).place or id_

    def members(self, id_: str) -> list[str]:
        """All ids of a person, its place first."""
        place = self.place(id_)
        return self._ids.get(place).ids or [place]

    def link(self, one: str, other: str, ts: int, now_ms: int) -> list[Joined]:
        """Two ids are said to be one person as of a time, ms."""
        if one == other:
            return []
        a, b = self._ids.get(one), self._ids.get(other)
        if ts <= max(a.parted, b.parted):
            return []
        one_already = self.place(one) == self.place(other)
        parted = [] if one_already else self._make_room(one, other)
        a.links[other] = b.links[one] = max(ts, a.links.get(other, ts))
        self._ids.see((one, other), now_ms)
        self._ids.store((one, other))
        if one_already:
            return []
        return [*parted, *self._join(self.place(one), self.place(other))]

    def part(self, id_: str, ts: int) -> list[Joined]:
        """An id is said to be a person of its own as of a time, ms."""
        record = self._ids.get(id_)
        if ts <= record.parted:
            return []
        record.parted = ts
        before = self.members(id_)
        for other in [name for name, at in record.links.items() if at <= ts]:
            del record.links[other]
            self._ids.get(other).links.pop(id_, None)
            self._ids.store([other])
        self._ids.store([id_])
        return self._split(before)

    def remove(self, id_: str) -> None:
        """Forget a whole person."""
        for name in self.members(id_):
            self._ids.remove(name)

    def known(self, id_: str) -> list[dict[str, Any]]:
        """What is kept of the ids of a person here, in words; nothing of a person with one."""
        names = self.members(id_)
        records = [(name, self._ids.get(name)) for name in names if len(names) > 1]
        return [{"id": n, "events": one.count, "linked_to": [*one.links]} for n, one in records]

    def hush(self, id_: str) -> bool:
        """Whether the person of an id wants nothing to be learned, by the newest of what its ids
        said; if so, their events are forgotten, and none is remembered from now on."""
        names = self.members(id_)
        said = [self._ids.get(name).said.get(PERSONALISE, (0, True)) for name in names]
        since, wanted = max(said, key=lambda one: one[0])
        silent = not wanted
        for name in names:
            record = self._ids.get(name)
            if record.silent != silent:
                record.silent, record.since = silent, since
                if silent:
                    self._ids.clear(name)
                    own = record.said
                    record.said = {PERSONALISE: own[PERSONALISE]} if PERSONALISE in own else {}
                elif self._ids.forgotten.of(name) is not None:
                    self._ids.forgotten.put(name, Mark(max(record.refused, 0), since, True))
                self._ids.store([name])
        return silent

    def _count(self, names: Iterable[str]) -> int:
        return sum(self._ids.get(name).count for name in names)

    def _join(self, first: str, second: str) -> Iterator[Joined]:
        """Make one person of two; the row of the one with more events stays where it is."""
        a, b = self.members(first), self.members(second)
        if self._count(a) > self._count(b):
            place, stay, come = first, a, b
        else:
            place, stay, come = second, b, a
        count, names = self._count(come), [*stay, *come]
        self._settle(place, names)
        yield Joined(place=come[0])
        if self.hush(place):
            count = 0
        yield self._told(place, names, moved=come if count else (), more=count)

    def _split(self, before: list[str]) -> list[Joined]:
        """Make as many persons of one as its links still hold together."""
        groups, left = [], dict.fromkeys(before)
        while left:
            groups.append(found := self._linked(next(iter(left))))
            for name in found:
                left.pop(name, None)
        if len(groups) == 1:
            return []
        told = []
        for names in groups:
            stays = before[0] in names
            place = before[0] if stays else max(names, key=lambda n: (self._ids.get(n).count, n))
            gone = [name for name in before if name not in names] if stays else []
            self._settle(place, [place, *(name for name in names if name != place)])
            self.hush(place)
            more = -self._count(gone) if stays else self._count(names)
            moved = () if stays else names
            told.append(self._told(place, self.members(place), moved, more, gone, apart=True))
        return told

    def _linked(self, id_: str) -> list[str]:
        """The ids that links lead to from one, which is the first."""
        found = {id_: None}
        waiting = [id_]
        while waiting:
            fresh = [name for name in self._ids.get(waiting.pop()).links if name not in found]
            found.update(dict.fromkeys(fresh))
            waiting += fresh
        return list(found)

    def _settle(self, place: str, names: Sequence[str]) -> None:
        """Let a row be that of some ids, its place first."""
        for name in names:
            record = self._ids.get(name)
            record.place, record.ids = "" if name == place else place, []
        if len(names) > 1:
            self._ids.get(place).ids = list(names)
        self._ids.store(names)

    def _told(
        self,
        place: str,
        names: Sequence[str],
        moved: Sequence[str],
        more: int,
        gone: Sequence[str] = (),
        *,
        apart: bool = False,
    ) -> Joined:
        """What the owner of a place is told; the events only if its row does not have them so."""
        events = fresh = b""
        if moved or gone:
            found, whose = self._ids.events(names)
            new = set(moved)
            events, fresh = found.tobytes(), bytes(name in new for name in whose)
        left, _ = self._ids.events(gone)
        said = self.said(place, names)
        return Joined(
            place=place,
            ids=list(names),
            events=events,
            moved=fresh,
            gone=np.unique(left["item"]).tobytes(),
            more=more,
            said=said,
            afresh=apart,
        )

    def said(self, place: str, names: Sequence[str]) -> list[PersonChange]:
        """What all ids of a person said, as changes of the person at a place."""
        records = [self._ids.get(name).said for name in names]
        found = [one for said in records for one in changes_of(place, said)]
        for field in LISTS if len(names) > 1 else ():
            if change := together(place, field, records):
                found.append(change)
        return found

    def _make_room(self, one: str, other: str) -> list[Joined]:
        """Part ids from two persons who are to be one until there is room for both."""
        told: list[Joined] = []
        while len(names := [*self.members(one), *self.members(other)]) > MOST:
            stay = {one, other, self.place(one), self.place(other)}
            id_ = min((n for n in names if n not in stay), key=self._newest)
            record = self._ids.get(id_)
            told += self.part(id_, max(record.links.values(), default=record.parted + 1))
        return told

    def _newest(self, id_: str) -> tuple[int, str]:
        return self._ids.get(id_).seen, id_


def changes_of(place: str, said: Record) -> list[PersonChange]:
    """What an id said of itself, as changes of the person at a place, the oldest first.

    >>> changes_of("ann", {"country": (5, "DE"), "attributes.job": (5, "cook")})
    [PersonChange(kind='profile', user='ann', ts=5, fields={'country': 'DE', \
'attributes': {'job': 'cook'}})]
    """
    found = []
    for ts in sorted({ts for ts, _ in said.values()}):
        fields = {name: value for name, (at, value) in said.items() if at == ts}
        if PERSONALISE in fields:
            own = {PERSONALISE: fields.pop(PERSONALISE)}
            found.append(PersonChange(CONSENT, place, ts, own))
        if _ATTRIBUTES in fields:  # all older ones are deleted
            found.append(PersonChange(PROFILE, place, ts, {_ATTRIBUTES: fields.pop(_ATTRIBUTES)}))
        own = {name: v for name, v in fields.items() if not name.startswith(_OWN)}
        parts = {name[len(_OWN) :]: v for name, v in fields.items() if name.startswith(_OWN)}
        if parts:
            own[_ATTRIBUTES] = parts
        if own:
            found.append(PersonChange(PROFILE, place, ts, own))
    return found


def together(place: str, field: str, records: Sequence[Record]) -> PersonChange | None:
    """A list of a profile that ids have each said a part of, as of the newest time; None if none
    has.

    >>> together("ann", "follows", [{"follows": (5, ["bob"])}, {"follows": (3, ["cid", "bob"])}])
    PersonChange(kind='profile', user='ann', ts=5, fields={'follows': ['bob', 'cid']})
    """
    said = [record[field] for record in records if field in record]
    words = sorted({word for _, value in said for word in value or ()})
    if not words:
        return None
    return PersonChange(PROFILE, place, max(ts for ts, _ in said), {field: words})
