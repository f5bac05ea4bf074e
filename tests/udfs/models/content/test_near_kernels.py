"""From a user's last items to new items like them, against plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.udfs.memory.test_history_kernels import Pages
from tests.udfs.models.content.test_group_kernels import described, unit
from udfs.models.content import near_kernels
from udfs.models.content.features import WIDTH
from udfs.models.content.near_kernels import LENGTH, Alike

ROOM, N = 256, 6
POSITION = np.exp(-np.arange(5) / 3.0).astype(np.float32)


class World:
    """Described items, and users with histories."""

    def __init__(self, items: int, users: int, seed: int, known: float = 1.0) -> None:
        self.random = random = np.random.default_rng(seed)
        self.table, self.pages = described(ROOM), Pages(users, 64)
        self.x = unit(random.normal(size=(ROOM, WIDTH)))
        self.x[random.random(ROOM) > known] = 0
        self.x[items:] = 0
        self.table.put(np.arange(items, dtype=np.int32), self.x[:items])
        self.events = random.integers(0, 4, ROOM)
        self.shown = random.random(ROOM) < 0.9
        self.users = np.arange(users, dtype=np.int32)
        self.touched = self.x[:users].copy()
        self.history: list[list[tuple[int, bool]]] = []
        for user in range(users):
            taken = random.choice(items, random.integers(0, min(items, 12) + 1), replace=False)
            liked = random.random(len(taken)) < 0.8
            self.history.append(list(zip(taken.tolist(), liked.tolist(), strict=True)))
            for item, likes in self.history[-1]:
                self.pages.add([(user, item, True)])
                if not likes:
                    page = self.pages.tail[user]
                    self.pages.disliked[page] |= np.uint32(1) << np.uint32(
                        self.pages.fill[user] - 1
                    )

    def alike(self, few: int = 2, most: int = ROOM, lead: float = 0.0) -> Alike:
        profiles = np.empty((len(self.users), WIDTH), np.int16)
        read = self.table.groups, self.shown, self.events, POSITION
        return Alike(*read, few, most, profiles, False, self.touched, lead)

    def near(self, alike: Alike, *, exclude: bool = True) -> Any:
        found = np.full((len(self.users), N + 2), -7, np.int32)
        marks, call = np.zeros(ROOM, np.int64), np.zeros(3, np.int64)
        given_ = self.users, 0, len(self.users), exclude, self.pages.view, alike
        near_kernels.near(*given_, marks, call, found, 1, N)
        assert (found[:, [0, -1]] == -7).all()
        return found[:, 1:-1]

    def profile(self, user: int, lead: float = 0.0) -> Any:
        last = self.history[user][::-1][: len(POSITION)]
        total = np.zeros(WIDTH)
        for weight, (item, likes) in zip(POSITION, last, strict=False):
            total += (weight if likes else -weight) * self.x[item]
        length = np.linalg.norm(total)
        found = total / length if length > 1 else np.zeros(WIDTH)
        led = found + lead * self.touched[user] / 127
        return led / max(np.linalg.norm(led), 1e-9)


@settings(max_examples=30)
@given(st.integers(1, ROOM), st.booleans(), st.sampled_from([0.0, 2.0]), st.integers(0, 2**32 - 1))
def test_the_best_new_items(items: int, exclude: bool, lead: float, seed: int) -> None:
    world = World(items, 4, seed, known=0.8)
    alike = world.alike(lead=lead)
    found = world.near(alike, exclude=exclude)
    for user in range(4):
        want = world.profile(user, lead)
        assert np.abs(alike.profiles[user] / LENGTH - want).max() < 0.01
        able = world.shown & (world.events < 2) & world.x.any(axis=1)
        if exclude:
            able[[item for item, _ in world.history[user]]] = False
        products = world.x.astype(np.int64) @ alike.profiles[user].astype(np.int64)
        able &= bool(alike.profiles[user].any())
        order = np.lexsort((np.arange(ROOM), -products))
        best = order[able[order]][:N].tolist()
        assert found[user].tolist() == best + [-1] * (N - len(best))


def test_few_are_looked_at_and_most_of_the_best_found() -> None:
    random = np.random.default_rng(5)
    table, items = described(8192), 8000
    centres = random.normal(size=(60, WIDTH))
    x = unit(centres[random.integers(60, size=items)] + 0.7 * random.normal(size=(items, WIDTH)))
    table.put(np.arange(items, dtype=np.int32), x)
    wanted = unit(centres[:40] + 0.7 * random.normal(size=(40, WIDTH))).astype(np.int16) * 32
    events, shown = np.zeros(8192, np.int64), np.ones(8192, np.bool_)
    nothing = np.zeros((1, WIDTH), np.int8)
    alike = Alike(table.groups, shown, events, POSITION, 20, 256, wanted, True, nothing, 0.0)
    found = np.empty((40, 10), np.int32)
    marks, call = np.zeros(8192, np.int64), np.zeros(3, np.int64)
    nobody, view = np.full(40, -1, np.int32), Pages(1, 64).view
    near_kernels.near(nobody, 0, 40, True, view, alike, marks, call, found, 0, 10)
    best = np.argsort(-(wanted.astype(np.int64) @ x.T.astype(np.int64)), axis=1)[:, :10]
    shares = [len(set(a) & set(b)) / 10 for a, b in zip(found.tolist(), best.tolist(), strict=True)]
    assert np.mean(shares) > 0.6


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_reasons_are_the_items_most_alike(seed: int) -> None:
    world = World(60, 3, seed)
    items = world.random.integers(-1, 60, (3, 4)).astype(np.int32)
    reasons = np.empty((3, 4, 2), np.int32)
    near_kernels.explain(world.users, items, world.pages.view, world.alike(), reasons)
    for user in range(3):
        last = world.history[user][::-1][: len(POSITION)]
        for at in range(4):
            parts = [
                (-float(np.float32(weight) * np.float32(int(world.x[item] @ goal))), place, item)
                for goal in [world.x[items[user, at]].astype(np.int64)]
                for place, (weight, (item, likes)) in enumerate(zip(POSITION, last, strict=False))
                if likes and items[user, at] >= 0 and world.x[item].astype(np.int64) @ goal > 0
            ]
            want = [item for _, _, item in sorted(parts)][:2]
            got = [item for item in reasons[user, at].tolist() if item >= 0]
            assert got == want


def test_nobody_is_like_anything() -> None:
    world = World(50, 3, 1)
    world.history = [[], [], []]
    world.pages = Pages(3, 64)
    assert (world.near(world.alike()) == -1).all()


@pytest.mark.parametrize("few", [0, 4])
def test_only_items_with_few_events(few: int) -> None:
    world = World(200, 3, 2)
    found = world.near(world.alike(few=few))
    assert (found >= 0).any() == (few > 0)
    assert (world.events[found[found >= 0]] < few).all()
