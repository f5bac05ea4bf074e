"""Identity and user learners together, without Flink: lines go in, rows and lists come out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np

from tests.udfs.builders import NOW, SETTINGS, changed, decode
from tests.udfs.fakes import DictCell, DictState
from tests.udfs.flink import ListCell
from tests.udfs.metadata import reader
from udfs.accounts import Account
from udfs.events.batch import CONSUMED, item_key, make_batch, pack, user_shard
from udfs.events.people import LINK, UNLINK, PersonChange, pack_people
from udfs.learning.effects import Answer, Emit, Erase, Report, Wake, Write
from udfs.learning.identity_ids import IdentityHandles
from udfs.learning.identity_step import IdentityStep
from udfs.learning.learner import Learner
from udfs.learning.settings import JobSettings
from udfs.learning.user_shard import Handles, Progress
from udfs.learning.user_step import UserStep
from udfs.options.identity import Identity
from udfs.state.records import PAGE, read_rows

SOON_MS = 10
"""Timers that are due within it fire at once, when a message has been taken."""


class Marks:
    """Marks of a Redis that loses nothing, and a feed without changes."""

    read = connections = 0
    settled = True

    def refresh(self, models: Any) -> int:
        return 0

    def set(self, mark: bytes) -> None:
        pass


def handles() -> Handles:
    made: dict[str, Any] = {name: DictState() for name in Handles._fields}
    made |= {name: DictCell() for name in ("layout", "learned", "due", "mean", "started")}
    return Handles(**(made | {"queued": ListCell()}))


def identity_handles() -> IdentityHandles:
    return IdentityHandles(*(DictState() for _ in range(5)), DictCell())


def linked(one: str, other: str, ts: int) -> PersonChange:
    return PersonChange(LINK, one, ts, {"to": other})


def parted(one: str, ts: int) -> PersonChange:
    return PersonChange(UNLINK, one, ts)


class Town:
    """An identity operator before the user learners of some shards.

    Attributes:
        lists: the last list of each key. answers: the same of receipts and exports.
        account: of both.
    """

    def __init__(self, shards: int = 2, keep: int = 1000, **options: Any) -> None:
        wanted = {"test_every": 0, "refill_per_s": 0, "threads": 1} | options
        self.settings = changed(SETTINGS, identity=Identity(enabled=True, keep=keep), **wanted)
        self.now, self.shards = NOW, shards
        self.state: Any = identity_handles()
        self.user_states: list[Any] = [handles() for _ in range(shards)]
        self.lists: dict[str, Any] = {}
        self.answers: dict[str, Any] = {}
        self.account = Account()
        self.soon: dict[tuple[int, int], None] = {}
        self.start()

    def start(self) -> None:
        """Begin with what is in the state, as after a restart."""
        job, nothing = JobSettings(options=self.settings, item_keys=[100, 101]), Marks()
        clock, made = lambda: self.now, [Learner(self.settings) for _ in range(self.shards)]
        self.learners = made
        self.identity = IdentityStep(self.settings, self.state, self.shards, clock)
        mark: Any = lambda key: nothing  # noqa: E731
        feed: Any = nothing
        self.steps = [
            UserStep(job, state, learner, feed, reader(), mark, clock)
            for state, learner in zip(self.user_states, made, strict=True)
        ]

    def hear(self, message: bytes) -> None:
        """Let a message of `parse` go through."""
        for effect in self.identity.message(message):
            if isinstance(effect, Report):
                self.account.add(effect.account)
            elif isinstance(effect, Emit):
                self.take(effect.item_shard, self.steps[effect.item_shard].batch(7, effect.message))
        while self.soon:
            shard, at = self.soon.popitem()[0]
            self.take(shard, self.steps[shard].timer(7, at))

    def take(self, shard: int, effects: Iterable[Any]) -> None:
        for effect in effects:
            if isinstance(effect, Write):
                self.lists |= decode(effect.updates)
            elif isinstance(effect, Report):
                self.account.add(effect.account)
            elif isinstance(effect, Erase):
                for name in effect.users:
                    self.lists.pop(f"rec:{name}", None)
            elif isinstance(effect, Wake) and effect.at_ms <= self.now + SOON_MS:
                self.soon[shard, effect.at_ms] = None
            elif isinstance(effect, Answer):
                self.answers[effect.key] = msgspec.json.decode(effect.value)

    def counted(self) -> Account:
        """All that was counted, also what has not been reported yet."""
        found = Account()
        found.add(self.account)
        for state in self.user_states:
            if stored := state.learned.value():
                found.add(msgspec.msgpack.decode(stored, type=Progress).account)
        return found

    def later(self, ms: int) -> None:
        """Let time pass, and fire the timers."""
        self.now += ms
        for effect in self.identity.timer(self.now):
            assert not isinstance(effect, Emit)
        for shard, step in enumerate(self.steps):
            self.take(shard, step.timer(7, self.now))
            self.take(shard, step.timer(7, self.now + SOON_MS))

    def did(self, *events: tuple[str, str], weight: float = 1.0, **more: Any) -> None:
        """Users have taken items, all in one batch."""
        users, items = map(list, zip(*events, strict=True))
        n = len(users)
        ids = more.get("ids", [""] * n)
        ts = more.get("ts", self.now)
        columns = np.full(n, weight), np.full(n, CONSUMED), np.full(n, ts), ids
        self.hear(pack(make_batch(users, items, *columns, self.now)))

    def to_users(self, *changes: PersonChange) -> list[bytes]:
        """What the user learners are told when something is said of ids."""
        effects = self.identity.message(pack_people(changes))
        return [effect.message for effect in effects if isinstance(effect, Emit)]

    def said(self, *changes: PersonChange) -> None:
        self.hear(pack_people(changes))

    def history(self, user: str) -> list[tuple[int, bool]]:
        """What the state of the shard says that a user had: keys and whether they were liked."""
        state = self.user_states[user_shard(user, self.shards)]
        stored = state.users.get(user)
        if stored is None:
            return []
        row = read_rows(stored, self.learners[0].users.dtype, "a user")[0]
        found = []
        for number in range(int(row["first"]), int(row["sealed"])):
            page = state.history.get(f"{number}:{user}") or b""
            keys, bits = (
                np.frombuffer(page, "<u8", PAGE),
                int.from_bytes(page[PAGE * 8 :], "little"),
            )
            found += [(int(key), bits >> n & 1 == 0) for n, key in enumerate(keys)]
        for n in range(int(row["fill"])):
            found.append((int(row["recent"][n]), int(row["disliked"]) >> n & 1 == 0))
        return found

    def events(self, user: str) -> int:
        """How many events the row of a user counts."""
        stored = self.user_states[user_shard(user, self.shards)].users.get(user)
        if stored is None:
            return 0
        return int(read_rows(stored, self.learners[0].users.dtype, "a user")[0]["events"])

    def place(self, user: str) -> str:
        return self.identity._place(user)

    def shown(self, user: str) -> list[str]:
        return [entry["item"] for entry in self.lists[f"rec:{user}"]["items"]]


def key_of(items: Iterable[str]) -> list[int]:
    return [item_key(item) for item in items]
