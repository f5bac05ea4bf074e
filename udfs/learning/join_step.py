"""What a user shard does when a person gets more ids or fewer: the row, its history and its lists.

In: a `Joined` of the operator `identity`. Out: the row in state and in memory, and effects: the
lists of the person under all ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from udfs.events.joined import Joined, events_of
from udfs.learning.contributions import Contributions
from udfs.learning.effects import Effect, Erase, Part, Wake
from udfs.learning.idle_users import remove_user
from udfs.learning.learner import Learner
from udfs.learning.list_step import ListStep
from udfs.learning.past import Events, Past
from udfs.learning.people_step import PeopleStep
from udfs.learning.timers import next_tick
from udfs.learning.user_shard import Handles, UserShard
from udfs.models.popular.noise import day_of
from udfs.state.records import PAGE, pack_others, unpack_others

AGAIN = "again"
"""The name of the timer for lists that are written once more."""
AGAIN_MS = (1_500, 15_000, 60_000)
"""How long after a link: a list of the id that came, or its end, may still have been on its way to
Redis, from another subtask, which may lag far behind after a failure."""
_TICK_MS = 500  # what is due within it is looked at together


class JoinStep:
    """The persons of one subtask's shards; `state` is scoped to the current one.

    Args:
        refresh: whether lists are written. alone: whether no other subtask writes any.
        clock: the wall clock, ms.
    """

    def __init__(
        self,
        state: Handles,
        learner: Learner,
        lists: ListStep,
        people: PeopleStep,
        refresh: bool,
        alone: bool,
        clock: Callable[[], int],
    ) -> None:
        assert state.joined is not None
        self._state, self._joined, self._learner = state, state.joined, learner
        self._lists, self._people, self._clock = lists, people, clock
        self._refresh, self._late = refresh, refresh and not alone
        self._past = Past(learner)
        shards = learner.settings.job.item_shards
        self._contributions = Contributions(state.contributed, shards)
        learner.users.joined = state.joined

    def take(self, key: int, shard: UserShard, joined: Joined) -> Iterator[Effect]:
        """Take what has become of a person.

        Args:
            key: Flink's key of the shard.
        """
        if not joined.ids:
            yield from self._contributions.take_back(joined.place, day_of(self._clock()))
            self._leave(shard, joined.place)
            return
        now, users, place = self._clock(), self._learner.users, joined.place
        if joined.afresh and self._learner.settings.privacy.epsilon:
            self._contributions.spend(place, day_of(now))
        if joined.afresh and joined.more < 0:
            yield Part([place])
        slots = self._locate(place)
        self._tell(key, shard, int(slots[0]), joined)
        self._know(place, int(slots[0]), joined)
        users.seen[slots] = now
        users.pack(slots, self._learner.catalogue)
        users.write(slots, self._state.users)
        shard.idle.mark(users, slots, now)
        if joined.afresh:
            self._people.clear(place)
        heard = yield from self._people.hear(shard, joined.said, now)
        shard.account.described -= len(joined.said)  # it was counted when it was said
        known = bool(users.events[self._locate(place)[0]])
        if self._refresh and (known or heard):
            yield from self._lists.soon(shard, [place], now)
        if not known:
            if not joined.afresh or joined.said:
                return
            shard.unlist([place])
            yield Erase([place])  # its list is still that of the person it belonged to
        # Nothing of an id that neither did nor said anything can be on its way.
        if self._late and (joined.more or joined.said or joined.afresh):
            shard.again[place] = [next_tick(now + later, _TICK_MS) for later in AGAIN_MS]
            if AGAIN not in shard.timers:
                yield Wake(shard.timers.plan(AGAIN, shard.again[place][0]))

    def again(self, shard: UserShard) -> Iterator[Effect]:
        """Write the lists of persons who were joined or parted of late once more."""
        now = self._clock()
        names = [name for name, due in shard.again.items() if due[0] <= now]
        left = {name: [at for at in due if at > now] for name, due in shard.again.items()}
        shard.again = {name: due for name, due in left.items() if due}
        events, said = self._learner.users.events[self._locate(*names)], self._state.people
        if gone := [
            n for n, some in zip(names, events, strict=True) if not some and not said.get(n)
        ]:
            yield Erase(gone)
        if known := [name for name, some in zip(names, events, strict=True) if some]:
            yield from self._lists.soon(shard, known, now)
        if shard.again:
            yield Wake(shard.timers.plan(AGAIN, min(due[0] for due in shard.again.values())))

    def expire(self, *names: str) -> None:
        """Forget the other ids of users whose rows have expired."""
        for name in names:
            self._joined.remove(name)

    def _locate(self, *names: str) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
        rows = self._state.users, self._state.history
        found = self._learner.users.locate(names, *rows, self._learner.catalogue)
        return np.fromiter(found.values(), np.int32, len(found))

    def _know(self, place: str, slot: int, joined: Joined) -> None:
        """Note the ids of a person, and how much of the history is of several."""
        users, others = self._learner.users, [name for name in joined.ids if name != place]
        before, mixed = self._joined.get(place), 0
        if joined.events or joined.gone:
            mixed = int(users.sealed[slot]) * PAGE + int(users.fill[slot])
        elif before is not None:
            mixed = unpack_others(before).mixed
        if others or mixed:
            self._joined.put_all({place: pack_others(others, mixed)})
        else:
            self._joined.remove(place)
        users.others.pop(place, None)
        if others:
            users.others[place] = others

    def _tell(self, key: int, shard: UserShard, slot: int, joined: Joined) -> None:
        """Make the history anew, if anything has come or gone."""
        users, rows = self._learner.users, events_of(joined.events)
        gone = np.frombuffer(joined.gone, "<u8")
        if len(rows) or len(gone):
            events = Events(
                rows["item"].astype(np.uint64),
                rows["weight"].astype(np.float32),
                rows["rating"].astype(np.float32),
                rows["flags"].copy(),
                np.frombuffer(joined.moved, np.bool_),
            )
            seed = (key << 40) + shard.learned
            self._past.tell(slot, events, gone, self._state.history, seed, shard.mean)
        if len(rows):
            users.last[slot] = max(int(users.last[slot]), int(rows["ts"].max()))
        users.events[slot] = max(int(users.events[slot]) + joined.more, 0)

    def _leave(self, shard: UserShard, name: str) -> None:
        """The row of an id has gone to another place."""
        remove_user(name, self._state.users, self._state.history, self._learner.users.dtype)
        self._joined.remove(name)
        self._state.people.remove(name)
        self._learner.users.forget(name)
        shard.drop([name])
