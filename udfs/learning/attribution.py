"""What became of lists: events are joined to the lists that they name, or that led to them.

In: lists as they are written; events in order. Out: the last lists of each user in the shard's
state, and sums in its account, by the groups of `udfs.attributed`. Of one item of one list one view
at most is counted, one click, one conversion, and what it was worth once, in whatever order the
events come and however often.

An event with `rec` is one on that list. A click was a view, too. A conversion without `rec` is one
on the list in which the user clicked the item last, within the window (last touch). After a
failure, lists that are made again have other times in their ids but the same numbers of events:
such a list stands for the one that the user saw.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from udfs.attributed import (
    CLICKS,
    CONVERSIONS,
    DRAWN,
    NAMES,
    OTHER,
    UNKNOWN,
    VALUE,
    VIEWS,
    add,
    position,
)
from udfs.events.batch import EventBatch, item_key
from udfs.events.columns import frozen
from udfs.events.rows import CONVERTED as IS_CONVERSION
from udfs.learning.experiments import Experiments
from udfs.learning.learner import Learner
from udfs.learning.user_shard import UserShard
from udfs.lists.keys import USER
from udfs.lists.update import ListUpdates
from udfs.memory.metadata import CATEGORY, GROUPS, PROVIDER
from udfs.models.segments.names import of_profile
from udfs.options.sources import SOURCES
from udfs.state.handles import Rows
from udfs.state.item_records import fields_of, unpack_record
from udfs.state.listed import CONVERTED, PAID, VIEWED, Listed, pack_listed, unpack_listed

KEPT = 8
"""Lists of a user that are kept after something has become of them, and as many before: a list is
written after each event, while a page shows the one that it has read."""
_DAY_MS, _HOUR_MS = 86_400_000, 3_600_000
_ID = re.compile("([0-9a-f]{1,16})-([0-9a-f]{1,16})")  # see `udfs.lists.contract.list_id`


class _Event(NamedTuple):
    """An event, and whether it says that the item was taken, or converted, and what it was
    worth."""

    row: int
    user: str
    item: str
    key: bytes
    rec: str
    ts: int
    took: bool
    converted: bool
    amount: float


class Attribution:
    """The lists of one subtask's shards.

    Args:
        rows, people: of the current shard: the lists of its users, and what is said of them.
        days: the window. experiments: count what users do in them; None: there are none.
    """

    def __init__(
        self,
        rows: Rows,
        people: Rows,
        learner: Learner,
        days: float,
        experiments: Experiments | None = None,
    ) -> None:
        self._experiments = experiments
        self._rows, self._people, self._learner = rows, people, learner
        self._window = int(days * _DAY_MS)
        self._sources = [*SOURCES]
        self._names: dict[str, set[str]] = {}
        self._examination = learner.models.steps.examination

    def written(self, shard: UserShard, updates: Sequence[ListUpdates], now_ms: int) -> None:
        """Keep lists of users that are being written."""
        keys, kept = self._learner.catalogue.keys, dict[str, bytes]()
        people = self._learner.users.others
        for some in updates:
            if some.kind != USER or some.numbers is None:
                continue
            others = {other for name in some.names for other in people.get(name, ())}
            slots, _, models = some.lists
            lengths = np.count_nonzero(slots >= 0, axis=1).tolist()
            for row, (name, n) in enumerate(zip(some.names, lengths, strict=True)):
                if name in others:  # the same list once more
                    continue
                drawn = None if some.explored is None else some.explored[row, :n]
                teams = None if some.teams is None else some.teams[row, :n]
                made = Listed(
                    some.at_ms,
                    int(some.numbers[row]),
                    keys[slots[row, :n]].astype("<u8").tobytes(),
                    models[row, :n].tobytes(),
                    b"" if drawn is None or not drawn.any() else drawn.astype("<f4").tobytes(),
                    bytes(n),
                    {},
                    b"" if teams is None or not teams.any() else teams.tobytes(),
                )
                kept[name] = pack_listed(self._kept(unpack_listed(self._rows.get(name)), made))
        if kept:
            self._rows.put_all(kept)
            if self._experiments is not None and self._experiments.some:
                self._experiments.written(shard.account, dict.fromkeys(kept, now_ms))

    def _kept(self, lists: list[Listed], made: Listed) -> list[Listed]:
        """The lists that are kept once one more was made, oldest first."""
        while lists and made.at - lists[0].at > self._window:
            del lists[0]
        if lists and (lists[-1].at, lists[-1].number) == (made.at, made.number):
            if lists[-1].seen:
                return lists
            del lists[-1]
        lists.append(made)
        if len(lists) > KEPT:
            flags = [one.seen for one in lists]
            for seen in (False, True):
                while flags.count(seen) > KEPT:
                    del lists[flags.index(seen)], flags[flags.index(seen)]
        return lists

    def take(self, shard: UserShard, batch: EventBatch) -> dict[int, int]:
        """Join the events of a batch, in order, and count what became of lists in the shard's
        account; returns at which places from 0 clicked items stood, by row."""
        places = dict[int, int]()
        recs = batch.columns.get("recs")
        sold = batch.flags & IS_CONVERSION > 0
        if recs is None and not sold.any():
            return places
        known, changed = dict[str, list[Listed]](), set[str]()
        for event in _events(batch, recs, sold.tolist()):
            lists = known.get(event.user)
            if lists is None:
                lists = known[event.user] = unpack_listed(self._rows.get(event.user))
            if self._join(shard, lists, event, places):
                changed.add(event.user)
        if changed:
            self._rows.put_all({user: pack_listed(known[user]) for user in changed})
        return places

    def weighed(self, part: EventBatch, places: Sequence[int | None]) -> EventBatch:
        """Events with what each teaches the ranker, given the places that they were clicked at."""
        worth = self._examination.worth(places)
        if worth is None:
            return part
        return replace(part, columns=part.columns | {"worth": frozen(worth)})

    def _join(
        self, shard: UserShard, lists: list[Listed], event: _Event, places: dict[int, int]
    ) -> bool:
        """Count one event of a user; returns whether any of the lists has changed."""
        sums, found = shard.account.attribution, None
        if event.rec:
            one = _named(lists, event.rec)
            place = -1 if one is None else one.find(event.key)
            if one is None or place < 0:
                unknown = UNKNOWN[one is not None]
                sums[unknown] = sums.get(unknown, 0.0) + 1.0
            else:
                found = one, place
        named = found is not None
        if found is None and event.converted:
            found = self._touched(lists, event)
        if found is None:
            return False
        one, place = found
        made, before, first = dict[str, float](), one.clicked.get(place), not one.seen
        if one.mark(place, VIEWED):
            made[VIEWS] = 1.0
        if named and event.took:
            places[event.row] = place
            if before is None:
                made[CLICKS] = 1.0
            one.clicked[place] = event.ts if before is None else max(event.ts, before)
        if event.converted and one.mark(place, CONVERTED):
            made[CONVERSIONS] = 1.0
        if event.amount > 0.0 and one.mark(place, PAID):
            made[VALUE] = event.amount
        if made:
            self._count(shard, made, one, place, event)
            if self._experiments is not None:
                team = one.team(place)
                self._experiments.count(shard.account, event.user, one.at, made, first, team)
        return bool(made) or one.clicked.get(place) != before

    def _touched(self, lists: list[Listed], event: _Event) -> tuple[Listed, int] | None:
        """The list and the place at which a user clicked an item last before an event."""
        found, last = None, event.ts - self._window
        for one in lists:
            place = one.find(event.key)
            at = one.clicked.get(place)
            if at is not None and last <= at <= event.ts:
                found, last = (one, place), at
        return found

    def _count(
        self, shard: UserShard, made: dict[str, float], one: Listed, place: int, event: _Event
    ) -> None:
        """Add what became of an item to all its groups."""
        sums = shard.account.attribution
        if one.explored(place):
            self._examination.see(place, VIEWS in made, CLICKS in made)
        for group, name in self._groups(one, place, event, shard.profiled):
            for measure, by in made.items():
                add(sums, group, name, measure, by)

    def _groups(
        self, one: Listed, place: int, event: _Event, profiled: bool
    ) -> list[tuple[str, str]]:
        """The groups of an item of a list, each with the name in it."""
        explored = one.explored(place)
        found = [
            ("position", position(place)),
            ("model", self._sources[one.models[place]]),
            ("placed", "explored" if explored else "ranked"),
            ("hour", str(one.at // _HOUR_MS % 24)),
        ]
        if explored:
            found.append((DRAWN, position(place)))
        catalogue = self._learner.catalogue
        (slot,) = catalogue.find([event.item]).tolist()
        if slot >= 0:
            metadata = catalogue.metadata
            groups = metadata.groups[slot]
            for at, prefix in ((0, CATEGORY), (GROUPS - 1, PROVIDER)):
                if groups[at] >= 0:
                    name = metadata.labels[groups[at]].removeprefix(prefix)
                    found.append((prefix[:-1], self._bounded(prefix, name)))
        if profiled:
            record = unpack_record(self._people.get(event.user), "what is said of a user")
            names = {self._bounded("segment", name) for name in of_profile(fields_of(record))}
            found += [("segment", name) for name in sorted(names)]
        return found

    def _bounded(self, group: str, name: str) -> str:
        """The name, unless there are too many of its group already."""
        known = self._names.setdefault(group, set())
        if name not in known and len(known) >= NAMES:
            return OTHER
        known.add(name)
        return name


def _events(batch: EventBatch, recs: list[str] | None, sold: list[bool]) -> list[_Event]:
    """The events of a batch that may say what became of a list."""
    users, items, ts, amounts = batch.users, batch.items, batch.ts, batch.column("amounts")
    took = ((batch.weights > 0) | ((batch.weights == 0) & batch.consumed)).tolist()
    found = []
    for row, is_sold in enumerate(sold):
        rec = recs[row] if recs else ""
        if rec or is_sold:
            key = item_key(items[row]).to_bytes(8, "little")
            what = bool(took[row]), is_sold, float(amounts[row])
            found.append(_Event(row, users[row], items[row], key, rec, int(ts[row]), *what))
    return found


def _named(lists: list[Listed], rec: str) -> Listed | None:
    """The list with an id, or the first that was made again after it; None: it is not kept."""
    if (parts := _ID.fullmatch(rec)) is None:
        return None
    at, number = int(parts[1], 16), int(parts[2], 16)
    later = [one for one in lists if one.number == number and one.at >= at]
    return min(later, key=lambda one: one.at, default=None)
