"""The step of the operator `identity`: the ids in all messages to the user learner become persons.

In: what `parse` sends to the user learner, as it comes. Out: effects: the same with each id
replaced by the place of its person, by the place's shard, and `Joined` when persons change.

The events of each id are remembered as they were resolved to nobody, so that a person's history can
be made again from those of all its ids, in the order of arrival.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping

import numpy as np
from msgspec.structs import replace

from udfs.accounts import Account
from udfs.events.batch import EventBatch, pack, split, unpack, user_shard, user_shards
from udfs.events.experiments import is_words
from udfs.events.item_changes import is_notice
from udfs.events.joined import Joined, item_keys, noted, pack_joined
from udfs.events.messages import by_user
from udfs.events.people import (
    CONSENT,
    EXPORT,
    FORGET,
    GONE,
    LINK,
    LISTS,
    PERSONALISE,
    UNLINK,
    WHY,
    PersonChange,
    is_people,
    leaves,
    pack_gone,
    pack_people,
    unpack_people,
)
from udfs.events.searches import is_searches, pack_searches, unpack_searches
from udfs.learning.duplicates import Duplicates
from udfs.learning.effects import Count, Effect, Emit, Report, Wake
from udfs.learning.follows import FOLLOWS
from udfs.learning.identity_ids import IdentityHandles, Ids
from udfs.learning.persons import Persons
from udfs.learning.timers import Timers, next_tick
from udfs.models.settings import Settings
from udfs.state.id_records import IdRecord
from udfs.state.item_records import merged

_DAY_MS = 86_400_000
_ITEMS = 100_000  # whose keys are kept in memory
_SWEEP = "sweep"
LINKS = "links"


class IdentityStep:
    """See the module.

    Args:
        state: the operator's handles, loaded at the first message. shards: of users.
        clock: the wall clock, ms.
    """

    def __init__(
        self, options: Settings, state: IdentityHandles, shards: int, clock: Callable[[], int]
    ) -> None:
        self._options, self._state, self._shards = options, state, shards
        self._clock = clock
        self._ids: Ids | None = None
        self._keys: dict[str, int] = {}
        self._timers = Timers()
        self._gone: list[PersonChange] = []  # forgotten together: each time, all ids are read

    def message(self, data: bytes) -> Iterator[Effect]:
        """Pass on one message of `parse`."""
        ids = yield from self._load()
        ids.trim()
        if is_notice(data) or is_words(data):
            for shard in range(self._shards):
                yield Emit(shard, data)
        elif is_searches(data):
            found = [replace(one, user=self._place(one.user)) for one in unpack_searches(data)]
            for shard, part in by_user(found, self._shards, pack_searches):
                yield Emit(shard, part)
        elif is_people(data):
            for change in unpack_people(data):
                yield from self._change(change)
            yield from self._unfollow()
        else:
            yield from self._events(unpack(data), ids)

    def timer(self, timestamp: int) -> Iterator[Effect]:
        """Forget persons none of whose ids was seen for long."""
        ids, now = (yield from self._load()), self._clock()
        self._timers.take(timestamp)
        ids.trim()
        for name in ids.idle(now):
            record = ids.find(name)
            if record is None or now - record.seen <= ids.span_ms:
                continue
            members = self._persons.members(name)
            if all(now - ids.get(one).seen > ids.span_ms for one in members):
                self._persons.remove(name)
            else:
                ids.keep_on(name, now)
        ids.forgotten.expire(now - self._options.privacy.held_ms)
        yield self._plan(ids)

    def _load(self) -> Generator[Effect, None, Ids]:
        """The ids, loaded from the state on first use."""
        if self._ids is None:
            o = self._options
            span = int(o.state.user_expiry_days * _DAY_MS)
            self._ids = Ids(self._state, o.state.user_cache, o.identity.keep, span)
            self._persons = Persons(self._ids)
            window, most = int(o.events.deduplicate_s * 1000), o.events.deduplicate_ids
            self._duplicates = Duplicates(self._state.duplicates, window, most * self._shards)
            self._order = int.from_bytes(self._state.order.value() or b"", "little")
            yield self._plan(self._ids)
        return self._ids

    def _plan(self, ids: Ids) -> Wake:
        interval = max(1_000, min(ids.span_ms // 16, 3_600_000))
        return Wake(self._timers.plan(_SWEEP, next_tick(self._clock(), interval)))

    def _place(self, id_: str) -> str:
        """Where the row of an id is, without making a record of one that is new."""
        found = None if self._ids is None else self._ids.find(id_)
        return id_ if found is None else found.place or id_

    def _events(self, batch: EventBatch, ids: Ids) -> Iterator[Effect]:
        """Remember events, and send them on by their persons."""
        now = self._clock()
        everybody = records = {user: ids.get(user) for user in dict.fromkeys(batch.users)}
        yield from self._remind(ids)
        late = any(one.refused > 0 or one.since > 0 for one in records.values())
        refused = _refused(batch, records) if late else set[int]()
        names = batch.ids
        if late:  # of what is not learned no id is remembered either
            silent = (row for row, user in enumerate(batch.users) if records[user].silent)
            unsaid = {*refused, *silent}
            names = ["" if row in unsaid else id_ for row, id_ in enumerate(names)]
        keep = self._duplicates.keep(names, now)
        if keep is not None:
            yield Report(Account(duplicates=len(batch) - int(keep.sum())))
            batch = batch.take(keep)
            records = {user: records[user] for user in dict.fromkeys(batch.users)}
            refused = _refused(batch, records) if refused else refused
        if not len(batch):
            ids.let_go(everybody)
            return
        seen = {*np.flatnonzero(batch.seen).tolist()}  # of which nothing is learned
        self._note(batch, ids, records, refused | seen, now)
        places = {user: one.place for user, one in records.items() if one.place}
        if places:
            users = [places.get(user, user) for user in batch.users]
            for row in refused:
                user = batch.users[row]
                if batch.ts[row] <= records[user].refused:
                    users[row] = user  # the owner of the id itself refuses it too, and counts it
            batch = replace(batch, columns=batch.columns | {"users": users})
        ids.let_go(everybody)
        parts = split(batch, user_shards(batch.users, self._shards))
        for shard, part in parts.items():
            yield Emit(shard, pack(part))

    def _note(
        self,
        batch: EventBatch,
        ids: Ids,
        records: Mapping[str, IdRecord],
        but: set[int],
        now: int,
    ) -> None:
        if but:
            batch = batch.take(np.array([row not in but for row in range(len(batch))]))
            records = {user: records[user] for user in dict.fromkeys(batch.users)}
        keys = item_keys(batch.items, self._keys, _ITEMS)
        ids.take(records, batch.users, noted(batch, self._order, keys).tobytes())
        ids.see(records, now)
        ids.store(records)
        self._order += len(batch)
        self._state.order.update(self._order.to_bytes(8, "little"))

    def _change(self, change: PersonChange) -> Iterator[Effect]:
        """Take what is said of an id."""
        persons, now, user, ts = self._persons, self._clock(), change.user, change.ts
        if change.kind in (LINK, UNLINK):
            yield from self._unfollow()  # what ids said is told once more
            if change.kind == LINK:
                told = persons.link(user, str(change.fields["to"]), ts, now)
            else:
                told = persons.part(user, ts)
            yield from self._tell(told)
            yield Count(LINKS, 1)
            yield Report(Account(described=1))
        elif change.kind == FORGET:
            yield from self._forget(change)
        elif change.kind == GONE:
            pass  # all shards are told of all ids of the person when it is forgotten
        elif change.kind == WHY:
            fields = {**change.fields, "asked": user}
            yield from self._pass([replace(change, user=persons.place(user), fields=fields)])
        elif change.kind == EXPORT:
            known = {"asked": user, "ids": persons.known(user)}
            yield from self._pass([replace(change, user=persons.place(user), fields=known)])
        else:
            yield from self._said(change)

    def _tell(self, told: Iterable[Joined]) -> Iterator[Effect]:
        for one in told:
            yield Emit(user_shard(one.place, self._shards), pack_joined(one))

    def _said(self, change: PersonChange) -> Iterator[Effect]:
        """Remember what an id says of itself, and pass it on as said by the person."""
        ids, user = self._ids, change.user
        assert ids is not None
        record = ids.get(user)
        yield from self._remind(ids)
        fields = dict(change.fields)
        if change.ts > record.refused and (change.kind == CONSENT or record.hears(change.ts)):
            record.said = merged(record.said, change.ts, fields)
            ids.follow = FOLLOWS in fields or ids.follow
            ids.see([user], self._clock())
            ids.store([user])
        names = self._persons.members(user)
        if change.kind == CONSENT and self._persons.hush(user) and leaves(change):
            self._gone += [replace(change, user=name) for name in names]
        place, extra = self._persons.place(user), list[PersonChange]()
        if len(names) > 1 and not {*LISTS}.isdisjoint(fields):
            yield from self._unfollow()
            extra = [one for one in self._persons.said(place, names) if {*one.fields} <= {*LISTS}]
        yield from self._pass([PersonChange(change.kind, place, change.ts, fields), *extra])
        if extra:
            yield Report(Account(described=-len(extra)))

    def _forget(self, change: PersonChange) -> Iterator[Effect]:
        """Forget a person: each id where its row would be, and all of them where the row is."""
        ids, persons, user = self._ids, self._persons, change.user
        assert ids is not None
        mark = ids.forgotten.of(user)
        if mark is not None and change.ts <= mark.deleted:  # said again: what came since stays
            yield from self._pass([change])
            return
        place, names = persons.place(user), persons.members(user)
        told = [replace(change, user=name) for name in names]
        home = user_shard(place, self._shards)
        others = [one for one in told if user_shard(one.user, self._shards) != home]
        yield Emit(home, pack_people(told))
        yield from self._pass(others)
        if len(names) > 1:
            yield Emit(home, pack_joined(Joined(place=place)))
        for name in names:
            ids.get(name)
            ids.refuse(name, change.ts)
        self._duplicates.forget(names)
        self._gone += told
        if extra := len(told) + len(others) - 1:
            yield Report(Account(described=-extra))

    def _unfollow(self) -> Iterator[Effect]:
        """Let nobody follow those who were forgotten since the last time."""
        if not self._gone:
            return
        assert self._ids is not None
        self._ids.unfollow({one.user: one.ts for one in self._gone})
        gone, self._gone = pack_gone(self._gone), []
        for shard in range(self._shards):
            yield Emit(shard, gone)

    def _remind(self, ids: Ids) -> Iterator[Effect]:
        """Tell the shards of some ids that nothing is to be learned of them."""
        if not ids.reminded:
            return
        no = {PERSONALISE: False}
        told = [PersonChange(CONSENT, user, since, no) for user, since in ids.reminded.items()]
        ids.reminded.clear()
        yield from self._pass(told)
        yield Report(Account(described=-len(told)))

    def _pass(self, changes: Iterable[PersonChange]) -> Iterator[Effect]:
        for shard, part in by_user(changes, self._shards, pack_people):
            yield Emit(shard, part)


def _refused(batch: EventBatch, records: Mapping[str, IdRecord]) -> set[int]:
    """The rows of events that are older than the deletion of their id, or than its word that
    nothing, or again something, may be learned."""
    pairs = enumerate(zip(batch.users, batch.ts.tolist(), strict=True))
    until = {user: max(one.refused, one.since) for user, one in records.items()}
    return {row for row, (user, ts) in pairs if ts <= until[user]}
