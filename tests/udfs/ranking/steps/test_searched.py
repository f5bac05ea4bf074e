"""Searches lead lists: nearest first, less with each event, nothing consumed or hidden."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from udfs.events.searches import Search
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.models.content.features import content_vector
from udfs.models.content.source import Content
from udfs.models.ranked import Told
from udfs.options.sources import position
from udfs.ranking.steps.searched import SHARE, Searches
from udfs.state.handles import MemoryRows

NOW = 1_795_548_161_115
TITLES = (
    "Red kettle", "Green kettle", "Kettle stand", "Oak chair", "Garden rake", "Blue kite",
    "Thriller", "Atlas of birds", "Running shoes", "Rain coat", "Desk lamp", "Dog collar",
)  # fmt: skip
N = 8
SOURCE = position("content")


class World:
    """A catalogue of `TITLES`, the users ann and bob, and lists that name the last items first."""

    def __init__(self, *, exclude: bool = True) -> None:
        self.catalogue = Catalogue(4, 1, 100, "exact")
        self.slots = self.catalogue.slots([f"i{n}" for n in range(len(TITLES))])
        self.catalogue.shown[self.slots] = True
        self.users = Users(4, 1, 100, 64)
        found = self.users.locate(["ann", "bob"], MemoryRows(), MemoryRows(), self.catalogue)
        self.ann, self.bob = found.values()
        settings = SimpleNamespace(lists=SimpleNamespace(exclude_consumed=exclude))
        self.clock = SimpleNamespace(clock_ms=NOW)
        shop: Any = self.clock
        shop.catalogue, shop.users, shop.settings = self.catalogue, self.users, settings
        content = Content(shop)
        self.catalogue.attach(content.described)
        self.vectors = content.described.vectors
        self.vectors[self.slots] = [content_vector({"title": title}) for title in TITLES]
        self.searches = Searches(shop, content, N)

    def search(self, user: str, words: str, ts: int = NOW) -> None:
        self.searches.take([Search(user, words, ts)])

    def lead(self, told: Told, now_ms: int = NOW) -> Told:
        """The list of ann, led by what she has searched for."""
        slots = np.array([self.ann], np.int32)
        self.clock.clock_ms = now_ms
        return self.searches.lead(told, slots)

    def listed(self, now_ms: int = NOW) -> Told:
        return self.lead(plain(self.slots[::-1]), now_ms)

    def items(self, now_ms: int = NOW) -> list[int]:
        found: list[int] = self.listed(now_ms).items[0].tolist()
        return found

    def consume(self, *items: int, user: int | None = None) -> None:
        owner = self.ann if user is None else user
        tail = self.users._pages.push(int(self.users.tail[owner]), self.slots[list(items)], 0)
        self.users.tail[owner], self.users.fill[owner] = tail, len(items)


def plain(items: NDArray[np.int32], length: int = N) -> Told:
    own = np.full((1, length), -1, np.int32)
    own[0, : min(length, len(items))] = items[:length]
    scores = np.where(own >= 0, 0.8 - np.arange(length) / 20, -1).astype(np.float32)
    models = np.where(own >= 0, 1, -1).astype(np.int8)
    return Told(own, scores, models, np.tile(own[..., None], 2), np.empty((1, 0), np.int32))


def test_the_nearest_items_lead_and_the_list_follows() -> None:
    world = World()
    before = world.items()
    world.search("ann", "red kettle", NOW)
    told = world.listed()
    assert told.items[0, :2].tolist() == [0, 1]
    lead = int((told.models[0] == SOURCE).sum())
    assert 1 < lead <= np.ceil(SHARE * N)
    rest = [item for item in before if item not in told.items[0, :lead]]
    assert told.items[0, lead:].tolist() == rest[: N - lead]
    assert (np.diff(told.scores[0]) <= 0).all()
    assert told.scores.max() <= 1.0
    assert (told.reasons[0, :lead] == -1).all()
    assert told.reasons[0, lead:, 0].tolist() == told.items[0, lead:].tolist()


def test_each_event_of_the_user_halves_what_a_search_leads() -> None:
    world = World()
    world.search("ann", "kettle", NOW)
    leads = []
    for _ in range(5):
        leads.append(int((world.listed().models == SOURCE).sum()))
        world.searches.fade(np.array([world.bob, world.ann], np.int32))
    assert leads == sorted(leads, reverse=True)
    assert leads[0] >= 2
    assert not world.searches._searches  # nothing is kept of it
    assert world.items() == plain(world.slots[::-1]).items[0].tolist()


def test_what_is_consumed_or_gone_is_not_found() -> None:
    world = World()
    world.search("ann", "red kettle", NOW)
    world.consume(1, user=world.bob)
    assert world.items()[0] == 0
    world.consume(*[0] * 32)  # a full page, and one above it
    world.consume(5)
    assert world.items()[0] == 1
    world.catalogue.shown[world.slots[1]] = False
    assert world.items()[0] == 2
    again = World(exclude=False)
    again.consume(0)
    again.search("ann", "red kettle", NOW)
    assert again.items()[0] == 0


def test_a_search_is_of_its_user_and_of_the_last_half_hour() -> None:
    world = World()
    world.search("bob", "red kettle", NOW)
    without = world.items()
    world.search("ann", "red kettle", NOW)
    assert world.items() != without
    assert world.items(NOW + 1_800_001) == without
    world.search("ann", "atlas", NOW - 1)  # late: the newer one counts
    assert world.items()[0] == 0
    world.search("ann", "atlas", NOW + 1)
    assert world.items()[0] == 7


@pytest.mark.parametrize("words", ["?!", "zebra"])
def test_words_that_find_nothing_change_nothing(words: str) -> None:
    world = World()
    without = world.items()
    world.search("ann", words, NOW)
    world.vectors[:] = 0 if words == "zebra" else world.vectors
    assert world.items() == without


@pytest.mark.parametrize("known", [[], [3], [0, 1, 2]])
def test_a_short_list_grows(known: Sequence[int]) -> None:
    world = World()
    world.search("ann", "red kettle", NOW)
    told = plain(world.slots[list(known)])
    told = world.lead(told)
    items: Any = [item for item in told.items[0].tolist() if item >= 0]
    assert items[0] == 0
    assert set(known) <= set(items)
    assert len(set(items)) == len(items)
    assert (told.items[0, len(items) :] == -1).all()
