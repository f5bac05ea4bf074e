"""Small learners, batches and histories for the tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import hiredis
import msgspec
import numpy as np
from numpy.typing import NDArray

from tests.udfs.fakes import DictState
from udfs.events.batch import CONSUMED, EventBatch, item_key, make_batch
from udfs.events.columns import COLUMNS
from udfs.learning.learner import Learned, Learner
from udfs.lists.update import ListUpdates
from udfs.models.settings import Settings
from udfs.options.learning import Lists, Model
from udfs.options.runtime import Job, Redis, State
from udfs.stores.redis_writer import Command

NOW = 1_700_000_000_000

SETTINGS = Settings(
    model=Model(
        dimensions=8,
        learning_rate=0.2,
        regularisation=0.01,
        negatives=3,
        window=4,
        window_decay=3.0,
    ),
    lists=Lists(length=5),
    state=State(user_cache=1000, max_items=10_000, history=1000),
    redis=Redis(expiry_s=60, publish=False),
    job=Job(item_shards=2),
)

_ELSEWHERE = {
    "served": ("lists", "model"),
    "refresh_lists": ("lists", "refresh"),
    "test_every": ("quality", "every"),
    "test_models": ("quality", "models"),
}
_SECTIONS = "model", "lists", "state", "redis", "job", "quality", "feed", "events"


def changed(settings: Settings, **changes: Any) -> Settings:
    """Settings with other sections, or with other options, each in the section that has it."""
    for name, value in changes.items():
        if name in settings.__struct_fields__:
            settings = msgspec.structs.replace(settings, **{name: value})
            continue
        section, key = _ELSEWHERE.get(name) or (
            next(s for s in _SECTIONS if name in getattr(settings, s).__struct_fields__),
            name,
        )
        part = msgspec.structs.replace(getattr(settings, section), **{key: value})
        settings = msgspec.structs.replace(settings, **{section: part})
    return settings


def keys(items: Iterable[str]) -> NDArray[np.uint64]:
    """The key of each item."""
    return np.array([item_key(item) for item in items], np.uint64)


def batch_of(
    pairs: Iterable[tuple[str, str]],
    weights: Sequence[float] | float = 1.0,
    *,
    flags: int = CONSUMED,
    ts: Sequence[int] | int = NOW,
) -> EventBatch:
    """Events of (user, item), in order."""
    users, items = map(list, zip(*pairs, strict=True))
    n = len(users)
    return make_batch(
        users,
        items,
        np.broadcast_to(np.array(weights, np.float32), n),
        np.full(n, flags),
        np.broadcast_to(np.array(ts, np.int64), n),
        [""] * n,
        NOW,
    )


def part(batch: EventBatch, begin: int, end: int) -> EventBatch:
    """The events `begin` to `end` − 1."""
    return batch.take(np.arange(begin, min(end, len(batch))))


def with_columns(batch: EventBatch, **columns: Any) -> EventBatch:
    """The batch with other values in some columns."""
    changed = {name: COLUMNS[name].convert(values) for name, values in columns.items()}
    return msgspec.structs.replace(batch, columns=batch.columns | changed)


class OneShard:
    """A learner with the state of its only shard."""

    def __init__(self, rows: DictState | None = None, number: int = 0, **settings: Any) -> None:
        self.learner = Learner(changed(SETTINGS, **settings))
        self.rows, self.history = rows or DictState(), DictState()
        self.number, self.mean = number, np.zeros(2)
        self.messages: dict[int, bytes] = {}

    def learn(self, batch: EventBatch, now_ms: int = NOW) -> Learned:
        """Learn a batch; `messages` are then those of it."""
        learned = self.learner.learn(batch, self.rows, self.history, self.number, now_ms, self.mean)
        self.messages = self.learner.messages(now_ms)
        self.number += len(batch)
        return learned

    def slots(self, *users: str) -> Any:
        """The cache slots of the users, loaded if need be."""
        learner = self.learner
        found = learner.users.locate(users, self.rows, self.history, learner.catalogue)
        return np.array([found[user] for user in users], np.int32)

    def lists(self, *users: str, now_ms: int = NOW) -> dict[str, Any]:
        """The lists that would be written, by key."""
        return decode(self.learner.user_lists(self.slots(*users), now_ms))


def parts(command: Command) -> Sequence[Any]:
    """A command in its parts, also if it is packed."""
    if not isinstance(command, bytes):
        return command
    reader = hiredis.Reader()
    reader.feed(command)
    found: list[bytes] = reader.gets()
    assert not reader.has_data(), "more than one command"
    return tuple(found)


def decode(updates: Iterable[ListUpdates]) -> dict[str, Any]:
    """The lists by key."""
    return {
        some.kind.of(name): msgspec.json.decode(value)
        for some in updates
        for name, value in zip(some.names, some.json, strict=True)
    }


def shown(value: Any) -> list[str]:
    """The items of a list, best first."""
    return [entry["item"] for entry in value["items"]]
