"""One round of the demo: a user sees a list, takes an item, and gets the list that follows.

In: the world's truth, the Redis that the job writes to, and the folder that it reads from. Out: a
`Round`: the list before, the item taken, the list after, and the milliseconds between them.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import redis

from flink_app.simulator.world import Reaction, World
from flink_app.writers.files import DirectoryWriter
from udfs.errors import MillirecError
from udfs.lists.keys import POPULAR, USER
from udfs.options.sources import SOURCES

SHOWN = 8
"""Items of a list that a user sees."""

WAIT_S = 20.0
"""How long to wait for the list that follows what a user takes."""

_TRIES = 40


class Move(msgspec.Struct, frozen=True):
    """An item of the new list: its place from 1, and its old one (None: it was not listed)."""

    item: str
    place: int
    before: int | None

    @property
    def gained(self) -> int:
        """Places it rose (above 0) or fell (below 0); 0 for a new item."""
        return 0 if self.before is None else self.before - self.place


class Newcomer(msgspec.Struct, frozen=True):
    """An item that arrived during the demo, in the list of a user, and why it is there."""

    title: str
    caption: str
    user: str
    reason: str


class Round(msgspec.Struct, frozen=True):
    """What happened to one user; the lists are item ids, best first.

    Attributes:
        loves: the user's two best categories, by the world's truth.
        after: None until the new list has arrived.
        ms: from just before the event was written until the new list was read.
    """

    user: str
    loves: tuple[str, ...]
    clicked: str
    before: list[str]
    after: list[str] | None = None
    ms: float = 0.0

    @property
    def moves(self) -> list[Move]:
        """The visible part of the new list, compared with the old one without the clicked item.

        >>> r = Round("u1", (), "a", ["a", "b", "c", "d"], ["c", "b", "e"], 40.0)
        >>> [(move.item, move.before, move.gained) for move in r.moves]
        [('c', 2, 1), ('b', 1, -1), ('e', None, 0)]
        """
        rest = [item for item in self.before if item != self.clicked]
        places = {item: place for place, item in enumerate(rest, start=1)}
        shown = (self.after or [])[:SHOWN]
        return [Move(item, n, places.get(item)) for n, item in enumerate(shown, start=1)]

    @property
    def moved(self) -> int:
        """The number of visible items that moved up or are new."""
        return sum(move.before is None or move.gained > 0 for move in self.moves)


def favourites(world: World, user: str) -> tuple[str, ...]:
    """The two categories with the highest mean affinity for the user, by the world's truth."""
    affinity = world.affinity(user)
    there = np.flatnonzero(np.isfinite(affinity))
    names = [world.category(f"i{number}") for number in there.tolist()]
    kinds, of = np.unique(names, return_inverse=True)
    means = np.bincount(of, affinity[there]) / np.bincount(of)
    return tuple(kinds[np.argsort(-means)[:2]].tolist())


class Audience:
    """Shows lists to the users of a world, and writes what they take into the job's inbox.

    taken: the fields of the event that tells it, beyond the user, the item, the time and the id.
    """

    def __init__(
        self,
        world: World,
        taken: dict[str, Any],
        client: redis.Redis,
        prefix: str,
        writer: DirectoryWriter,
    ) -> None:
        self._world, self._taken = world, taken
        self._client, self._prefix, self._writer = client, prefix, writer
        self._random = np.random.default_rng(world.settings.seed)
        self._run = f"{time.time_ns():x}"
        self._clicks = 0
        self.looks = self.earned = self.earned_by_popular = 0

    def read(self, key: str) -> dict[str, Any] | None:
        """The list under a key, or None; see `_decoded`."""
        value: Any = self._client.get(f"{self._prefix}{key}")
        return None if value is None else self._decoded(value)

    def compare(self, count: int) -> None:
        """Show `count` random users their own list and the popular one, and count the clicks."""
        popular = _items(self.read(POPULAR.of()))[:SHOWN]
        for _ in range(count):
            user = self._anyone()
            own = _items(self.read(USER.of(user)))[:SHOWN]
            if own and popular:
                self.looks += 1
                self.earned += self._world.respond(user, own) is not None
                self.earned_by_popular += self._world.respond(user, popular) is not None

    def choose(self) -> Round | None:
        """A user with a personal list, and the item that they take from it; or None."""
        for _ in range(_TRIES):
            user = self._anyone()
            found = self.read(USER.of(user))
            if found is None or found["source"] == "popular":
                continue
            clicked = self._world.respond(user, _items(found)[:SHOWN])
            if clicked is not None:
                return Round(user, favourites(self._world, user), clicked, _items(found))
        return None

    def click(self, chosen: Round, check: Callable[[], None]) -> Round | None:
        """Write the event and wait for the list that follows it; None if none arrives.

        Args:
            check: called repeatedly; raises if waiting has become pointless.
        """
        with self._changes() as changes:
            began = time.perf_counter()
            self._writer.write([self._event(chosen)])
            done = Reaction(0, self._taken["type"], self._taken.get("value"))
            self._world.heed(int(chosen.user[1:]), int(chosen.clicked[1:]), done)
            while time.perf_counter() - began < WAIT_S:
                message = changes.get_message(timeout=0.2)
                if message is None or message["data"] != chosen.user.encode():
                    check()
                    continue
                after = _items(self.read(USER.of(chosen.user)))
                # The world may change the same user's list at the same moment: the list that
                # follows the event is the one without the item.
                if chosen.clicked not in after:
                    ms = (time.perf_counter() - began) * 1000
                    return msgspec.structs.replace(chosen, after=after, ms=ms)
        return None

    def newcomers(self) -> tuple[int, list[Newcomer]]:
        """How many items arrived since the world began, and those of them that lists have, each
        with one of these, in order of arrival."""
        world, found = self._world, dict[str, Newcomer]()
        keys = [f"{self._prefix}{USER.of(f'u{number}')}" for number in range(world.users)]
        values: Any = self._client.mget(keys)
        for value in filter(None, values):
            listed = self._decoded(value)
            for entry in listed["items"]:
                item = entry["item"]
                if item not in found and world.is_new(item):
                    said = world.title(item), world.caption(item)
                    found[item] = Newcomer(*said, listed["user"], self._why(entry))
        ordered = sorted(found, key=lambda item: int(item[1:]))
        return world.items - world.settings.items, [found[item] for item in ordered]

    def _decoded(self, value: bytes) -> dict[str, Any]:
        """A list without the items that the world does not have: what is published on the page."""
        listed: dict[str, Any] = msgspec.json.decode(value)
        listed["items"] = [entry for entry in listed["items"] if self._has(entry["item"])]
        for entry in listed["items"]:
            if because := entry.get("why", {}).get("because"):
                entry["why"]["because"] = [item for item in because if self._has(item)]
        return listed

    def _has(self, item: str) -> bool:
        try:
            self._world.is_new(item)
        except MillirecError:
            return False
        return True

    def _why(self, entry: dict[str, Any]) -> str:
        """The reason of an entry of a list, in words."""
        because = entry["why"].get("because")
        if because:
            return f"like {self._world.title(because[0])}"
        return SOURCES[entry["why"]["model"]].shown

    @contextlib.contextmanager
    def _changes(self) -> Iterator[Any]:
        """The channel that announces which users' lists change, from now on."""
        client: Any = self._client  # redis 5 has no types here
        with contextlib.closing(client.pubsub(ignore_subscribe_messages=True)) as channel:
            channel.subscribe(f"{self._prefix}rec")
            channel.get_message(timeout=1.0)  # Redis confirms the subscription
            yield channel

    def _event(self, chosen: Round) -> bytes:
        self._clicks += 1
        return msgspec.json.encode(
            {
                "user": chosen.user,
                "item": chosen.clicked,
                **self._taken,
                "ts": time.time_ns() // 1_000_000,
                "id": f"click-{self._run}-{self._clicks}",
            }
        )

    @property
    def clicks(self) -> int:
        """Events written so far."""
        return self._clicks

    def _anyone(self) -> str:
        return f"u{self._random.integers(self._world.users)}"


def _items(found: dict[str, Any] | None) -> list[str]:
    entries: Sequence[dict[str, Any]] = found["items"] if found else ()
    return [entry["item"] for entry in entries]
