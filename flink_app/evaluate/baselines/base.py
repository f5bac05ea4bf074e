"""What every baseline is: something that learns one event and scores all items for one user.

In: numbers of users and items, 0 up, as `flink_app.evaluate.prequential` gives them. Out: scores of
items, float64[I]; the loop leaves out what is not known yet or consumed, and takes the best.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Shape(NamedTuple):
    """How much room the arrays need: users U, items I and events n of a whole stream."""

    users: int
    items: int
    events: int


class Baseline(ABC):
    """A published rule, learned event by event.

    Attributes:
        name: what `--baseline` calls it.
        seeded: whether it draws at random, so that seeds differ.
        explicit: whether it learns from every rating and predicts ratings; the others learn from
            positive events, and their value is the event's weight.
        once: whether it is trained when the warm-up is over and then no more, so that it needs one.
        now: the time of the event that is tested or learned, seconds since 1970.
    """

    name: ClassVar[str]
    seeded: ClassVar[bool] = False
    explicit: ClassVar[bool] = False
    once: ClassVar[bool] = False
    now: float = 0.0

    @abstractmethod
    def __init__(self, shape: Shape, seed: int = 1) -> None:
        """Make room for `shape`; `seed` decides what is drawn, if anything is."""

    @abstractmethod
    def learn(self, user: int, item: int, value: float) -> None:
        """Learn that `user` took `item`, with a weight above 0 or, if explicit, a rating."""

    def follow(self, user: int, item: int) -> None:
        """Know that `user` took `item`, and learn nothing from it for others, nor for later.

        A rule whose lists depend on nothing but what it has learned has nothing to do.
        """
        return

    def begin_tests(self) -> None:
        """Know that the warm-up is over: the next event is the first that may be a test."""
        return

    @abstractmethod
    def scores(self, user: int) -> NDArray[np.float64]:
        """How well each item suits a user: float64[I], higher is better, −inf is never listed."""

    def predict(self, user: int, item: int) -> float:
        """The rating that `user` would give `item`, if explicit."""
        raise NotImplementedError(f"{self.name} predicts no ratings")


class Links(NamedTuple):
    """The arrays of a `History` that a compiled loop follows; see there."""

    who: NDArray[np.int32]
    what: NDArray[np.int32]
    last_of_user: NDArray[np.int32]
    last_of_item: NDArray[np.int32]
    older_of_user: NDArray[np.int32]
    older_of_item: NDArray[np.int32]


class History:
    """Distinct pairs of user and item in order, as linked lists from the newest to the oldest.

    Attributes:
        who, what: int32[n], user and item of each pair; `size` of them are in use.
        last_of_user, last_of_item: int32[U], int32[I], the newest pair of each, −1 for none.
        older_of_user, older_of_item: int32[n], the pair before of the same user or item, −1.
        of_user, of_item: int32[U], int32[I], how many pairs each has.
        links: the same arrays for a kernel, all but the last two.

    >>> history = History(Shape(2, 2, 3))
    >>> history.add(0, 1), history.add(0, 0), history.add(0, 1)
    ((0, True), (1, True), (0, False))
    >>> history.items(0)
    [0, 1]
    """

    def __init__(self, shape: Shape) -> None:
        self.who = np.empty(shape.events, np.int32)
        self.what = np.empty(shape.events, np.int32)
        self.last_of_user = np.full(shape.users, -1, np.int32)
        self.last_of_item = np.full(shape.items, -1, np.int32)
        self.older_of_user = np.empty(shape.events, np.int32)
        self.older_of_item = np.empty(shape.events, np.int32)
        self.links = Links(
            who=self.who,
            what=self.what,
            last_of_user=self.last_of_user,
            last_of_item=self.last_of_item,
            older_of_user=self.older_of_user,
            older_of_item=self.older_of_item,
        )
        self.of_user = np.zeros(shape.users, np.int32)
        self.of_item = np.zeros(shape.items, np.int32)
        self.size = 0
        self._places: dict[tuple[int, int], int] = {}

    def __contains__(self, pair: tuple[int, int]) -> bool:
        return pair in self._places

    def add(self, user: int, item: int) -> tuple[int, bool]:
        """Note a pair. Returns: its place, and whether it is new; an old one keeps its place."""
        place = self._places.setdefault((user, item), self.size)
        if place < self.size:
            return place, False
        self.who[place], self.what[place] = user, item
        self.older_of_user[place], self.last_of_user[user] = self.last_of_user[user], place
        self.older_of_item[place], self.last_of_item[item] = self.last_of_item[item], place
        self.of_user[user] += 1
        self.of_item[item] += 1
        self.size += 1
        return place, True

    def items(self, user: int) -> list[int]:
        """A user's items, newest first."""
        found, place = [], int(self.last_of_user[user])
        while place >= 0:
            found.append(int(self.what[place]))
            place = int(self.older_of_user[place])
        return found
