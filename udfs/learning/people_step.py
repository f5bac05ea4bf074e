"""What a user shard does with what is said of its users: keep it, and make their lists anew.

In: `PersonChange`s. Out: records in the shard's state, and effects. What a user does is learned
elsewhere; here is what a user says, or what others say of the user.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator

import numpy as np

from udfs.events.people import (
    CONSENT,
    EXPORT,
    FORGET,
    GONE,
    PROFILE,
    WHY,
    PersonChange,
    unpack_people,
)
from udfs.learning.effects import Effect
from udfs.learning.follows import naming, without
from udfs.learning.learner import Learner
from udfs.learning.list_step import ListStep
from udfs.learning.profiles import ProfileStep
from udfs.learning.rights_step import RightsStep
from udfs.learning.user_shard import Handles, UserShard
from udfs.learning.why_step import WhyStep
from udfs.state.item_records import merged, pack_record, unpack_record


class PeopleStep:
    """The people of one subtask's shards; `state` is scoped to the current one.

    Args:
        refresh: whether lists are written. rights: what users may ask for. why: answers them.
    """

    def __init__(
        self,
        state: Handles,
        learner: Learner,
        lists: ListStep,
        rights: RightsStep,
        profiles: ProfileStep,
        why: WhyStep,
        refresh: bool,
    ) -> None:
        self._state, self._learner, self._lists = state, learner, lists
        self._rights, self._profiles, self._refresh = rights, profiles, refresh
        self._why = why

    def take(self, shard: UserShard, changes: list[PersonChange], now_ms: int) -> Iterator[Effect]:
        """Take what is said of users, in order, and write their lists."""
        slots = yield from self.hear(shard, changes, now_ms)
        if slots and self._refresh:
            yield from self._lists.write(shard, np.fromiter(slots.values(), np.int32), now_ms)

    def hear(
        self, shard: UserShard, changes: list[PersonChange], now_ms: int
    ) -> Generator[Effect, None, dict[str, int]]:
        """Take what is said of users, in order; returns the slots of those whose lists change."""
        touched: dict[str, None] = {}
        elsewhere = {one.user: one.ts for one in changes if one.kind == GONE}
        changes = [one for one in changes if one.kind != GONE] if elsewhere else changes
        gone: dict[str, int] = {}  # forgotten together: each time, a whole log is read
        for change in changes:
            user, kind = change.user, change.kind
            if kind == FORGET:
                gone[user] = max(change.ts, gone.get(user, 0))
                touched.pop(user, None)
                continue
            if user in gone:
                yield from self._rights.forget(shard, gone, now_ms)
                gone = {}
            if kind == CONSENT:
                yield from self._rights.consent(shard, change, now_ms)
            if kind == EXPORT:
                yield self._rights.export(shard, change, now_ms)
            elif kind == WHY:
                yield self._why.answer(shard, change, now_ms)
            elif kind in (PROFILE, CONSENT) and shard.forgotten.takes(user, change.ts):
                self._note(change)
                touched[user] = None
                shard.profiled = True
            elif kind == CONSENT:
                touched.pop(user, None)
        yield from self._rights.forget(shard, gone, now_ms)
        if elsewhere and shard.profiled:
            yield from self._unfollow(shard, elsewhere, now_ms)
        shard.account.described += len(changes)
        if not touched:
            return {}
        slots = self._learner.users.locate(
            touched, self._state.users, self._state.history, self._learner.catalogue
        )
        shard.idle.mark(self._learner.users, np.fromiter(slots.values(), np.int32), now_ms)
        return slots

    def _unfollow(self, shard: UserShard, gone: dict[str, int], now_ms: int) -> Iterator[Effect]:
        """Let nobody follow users who were forgotten, and write the lists that may name them."""
        rows, changed = self._state.people, dict[str, bytes]()
        for user, data in naming(rows, gone):
            record = without(unpack_record(data, "what is said of a user"), gone)
            if record is not None:
                changed[user] = pack_record(record)
                if (slot := self._learner.users.find(user)) >= 0:
                    self._profiles.put(slot, record)
        if changed:
            rows.put_all(changed)
            self._learner.models.social.forget()  # its groups have the names, too
            if self._refresh:
                yield from self._lists.soon(shard, changed, now_ms)

    def clear(self, user: str) -> None:
        """Forget what is said of a user."""
        self._state.people.remove(user)
        if (slot := self._learner.users.find(user)) >= 0:
            self._profiles.put(slot, {})

    def expect(self, packed: Iterable[bytes]) -> None:
        """Keep what is known of users before a trial."""
        for one in packed:
            for change in unpack_people(one):
                self._note(change)

    def _note(self, change: PersonChange) -> None:
        """Merge what is said into the user's record."""
        rows, user = self._state.people, change.user
        record = unpack_record(rows.get(user), "what is said of a user")
        record = merged(record, change.ts, change.fields)
        rows.put_all({user: pack_record(record)})
        if (slot := self._learner.users.find(user)) >= 0:
            self._profiles.put(slot, record)
