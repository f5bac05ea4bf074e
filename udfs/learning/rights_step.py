"""What users may ask for: to be forgotten, not to be learned from, to see what is known of them.

In: `PersonChange`s of the kinds forget, consent and export. Out: state, memory and stores without
the user, and effects: `Erase`, receipts and answers. All places that hold a user are listed in
`udfs.learning.places`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from udfs.events.people import PERSONALISE, PersonChange
from udfs.events.settings import IMPRESSION
from udfs.learning.contributions import Contributions
from udfs.learning.effects import Answer, Effect, Emit, Erase
from udfs.learning.forgotten import Mark
from udfs.learning.idle_users import remove_user
from udfs.learning.learner import Learner
from udfs.learning.person import Person, moment, told
from udfs.learning.user_shard import Handles, UserShard
from udfs.lists.keys import KNOWN, RECEIPT, digest
from udfs.models.item_cf.taking_back import History, least_weight, pack_back, take_back
from udfs.models.popular.noise import day_of
from udfs.state.item_records import Record, unpack_record
from udfs.state.records import PAGE, Others, pack_others, unpack_others

log = logging.getLogger(__name__)
_DAY_MS = 86_400_000
_json = msgspec.json.Encoder().encode


class RightsStep:
    """The users of one subtask's shards; `state` is scoped to the current one."""

    def __init__(self, state: Handles, learner: Learner) -> None:
        self._state, self._learner, s = state, learner, learner.settings
        self._privacy, self._item_shards = s.privacy, s.job.item_shards
        self._contributions = Contributions(state.contributed, s.job.item_shards)
        events, consumed = s.events, s.lists.consumed_types
        self._weight = least_weight(events.weights, consumed, IMPRESSION, events.fractions)

    def forget(self, shard: UserShard, asked: Mapping[str, int], now_ms: int) -> Iterator[Effect]:
        """Forget users, each as of a time, ms; what was asked for already changes nothing."""
        due = dict[str, int]()
        for user, ts in asked.items():
            before = shard.forgotten.of(user) or Mark()
            if ts > before.deleted:
                due[user] = ts
                shard.forgotten.put(user, Mark(ts, before.said, before.personalise))
        if due:
            yield from self._remove(shard, due, now_ms)

    def consent(self, shard: UserShard, change: PersonChange, now_ms: int) -> Iterator[Effect]:
        """Take a user's word on whether lists may be personal; the newest counts. Whoever does not
        want it is forgotten but for that, and whoever wants it again begins from nothing."""
        user, ts, wanted = change.user, change.ts, bool(change.fields[PERSONALISE])
        before = shard.forgotten.of(user) or Mark()
        said = max(before.said, self._record(user).get(PERSONALISE, (0, None))[0])
        if ts < said or (wanted and before.personalise):
            return
        shard.forgotten.put(user, Mark(max(ts, before.deleted), ts, wanted))
        if before.personalise:
            yield from self._remove(shard, {user: ts}, now_ms)

    def export(self, shard: UserShard, change: PersonChange, now_ms: int) -> Answer:
        """What the state knows of a user, for a while in Redis."""
        learner, user, state = self._learner, change.user, self._state
        rows = state.users, state.history
        slot = -1
        if state.users.get(user) is not None:
            slot = learner.users.locate([user], *rows, learner.catalogue)[user]
        name = str(change.fields.get("asked", user))  # another id of the same person
        person = Person(name, slot, self._record(user), shard.forgotten.of(user))
        asked = {"ts": change.ts, "asked": moment(change.ts), "answered": moment(now_ms)}
        found = asked | told(person, learner.users, learner.catalogue)
        if ids := change.fields.get("ids"):
            found["ids"] = ids
        return Answer(KNOWN + digest(name), _json(found), self._privacy.export_s)

    def _record(self, user: str) -> Record:
        return unpack_record(self._state.people.get(user), "what is said of a user")

    def _remove(self, shard: UserShard, asked: Mapping[str, int], now_ms: int) -> Iterator[Effect]:
        """Remove users from memory, state and stores, and tell when that was done."""
        models = self._learner.models
        for user in asked:
            yield from self._contributions.take_back(user, day_of(now_ms))
            yield from self._take_back(user)
            self._remove_rows(user)
            self._begin_again(user)
        models.steps.forget_users(asked)
        models.learned()
        self._learner.writer.forget()
        shard.forget(asked)
        yield Erase(self.ids_of(asked))
        for user, ts in asked.items():
            key = digest(user)
            yield Answer(RECEIPT + key, self._receipt(key, ts, now_ms), self._kept_s)
            log.info("the user with the digest %s was forgotten", key)

    def ids_of(self, users: Iterable[str]) -> list[str]:
        """Users, and the other ids of each."""
        return [name for user in users for name in (user, *self._joined(user).ids)]

    def _joined(self, user: str) -> Others:
        """The other ids of a person."""
        rows = self._state.joined
        known = None if rows is None else rows.get(user)
        return Others(0, [], 0) if known is None else unpack_others(known)

    def _begin_again(self, user: str) -> None:
        """Know of a person's history that it has nothing of several ids."""
        others = self._joined(user)
        if others.mixed and self._state.joined is not None:
            if others.ids:
                self._state.joined.put_all({user: pack_others(others.ids)})
            else:
                self._state.joined.remove(user)

    def _take_back(self, user: str) -> Iterator[Effect]:
        """Lower the counts to which a user has added, here and where they are kept."""
        learner, state, models = self._learner, self._state, self._learner.models
        counted = models.counting and not models.neighbours.growth
        if not counted or not self._weight or state.users.get(user) is None:
            return
        rows = state.users, state.history
        slot = learner.users.locate([user], *rows, learner.catalogue)[user]
        items, liked = learner.users.standing(slot)
        dropped = int(learner.users.first[slot]) * PAGE
        mixed = min(max(self._joined(user).mixed - dropped, 0), len(items))
        history = History(learner.catalogue.keys[items], liked, self._weight, mixed)
        take_back(models.neighbours, history, items, items)
        message = pack_back(history)
        for shard in range(self._item_shards):
            yield Emit(shard, message)

    def _remove_rows(self, user: str) -> None:
        users, state = self._learner.users, self._state
        if (slot := users.find(user)) >= 0:
            items = users.history_of(slot)
            self._learner.models.consumers.forget(items, int(users.serials[slot]))
            users.forget(user)
        remove_user(user, state.users, state.history, users.dtype)
        state.people.remove(user)

    @property
    def _kept_s(self) -> int:
        """How long a receipt is kept: a day at least."""
        return max(self._privacy.held_ms, _DAY_MS) // 1000

    def _receipt(self, key: str, ts: int, now_ms: int) -> bytes:
        """When a user was forgotten, and until when older copies exist."""
        privacy = self._privacy
        until = {
            "checkpoints_until": moment(now_ms + privacy.checkpoints_days * _DAY_MS),
            "source_until": moment(now_ms + privacy.source_days * _DAY_MS),
        }
        done = {"digest": key, "ts": ts, "asked": moment(ts), "done": moment(now_ms)}
        return _json(done | until)
