"""What a simulated platform is to those who use one: the generator, the demo, the benchmarks.

In: the settings of a world. Out: `World`, whose users act and whose truth is known. `scenarios`
names the worlds that there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions
from flink_app.simulator.settings import WorldSettings


class Reaction(NamedTuple):
    """What a user does with an item of a list: its position from 0, the event's type, and the
    event's value, where it has one."""

    position: int
    kind: str
    value: float | None = None


class World(Protocol):
    """A seeded world of users "u0", "u1", … and items "i0", "i1", …; the same settings give the
    same world and events.

    The truth is that of the latest block of actions. Reading it and showing lists does not change
    what happens later, `heed` does. Every method raises MillirecError for an id that the world does
    not have.
    """

    @property
    def settings(self) -> WorldSettings:
        """What it was made from."""

    @property
    def users(self) -> int:
        """Number of users so far."""

    @property
    def items(self) -> int:
        """Number of items so far."""

    @property
    def popularity(self) -> NDArray[np.float64]:
        """How often each item is on display, (items,) float64 shares that sum to 1 (a copy)."""

    @property
    def available(self) -> NDArray[np.bool_]:
        """Whether each item may be shown, (items,) bool."""

    def title(self, item: str) -> str:
        """A name to print."""

    def category(self, item: str) -> str:
        """What kind of item it is, one word or two."""

    def caption(self, item: str) -> str:
        """What else a person wants to know of it, in at most 8 characters: what it costs, how long
        it lasts."""

    def is_new(self, item: str) -> bool:
        """Whether it has arrived since the world began."""

    def affinity(self, user: str) -> NDArray[np.float32]:
        """The truth: how well each item suits the user now, (items,) float32; −inf for what the
        user cannot take."""

    def affinities(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """`affinity` of several users: (n,) int64 numbers → (n, items) float32."""

    def click_probability(self, user: str, items: Sequence[str]) -> NDArray[np.float64]:
        """The probability that the user takes each item when looking at it, (len(items),) float64:
        `truth.click_probability` of the affinity."""

    def respond(self, user: str, shown_items: Sequence[str]) -> str | None:
        """Show the user a list, best item first, and return the item taken, or None; see
        `truth.first_click`."""

    def answer(
        self,
        random: np.random.Generator,
        user: int,
        items: NDArray[np.int64],
        affinity: NDArray[np.float32],
    ) -> list[Reaction]:
        """All that the user does with a list, in order of time: what was looked at and not taken is
        an impression.

        user: a number. items: (k,) int64, best first. affinity: (k,) float32, the user's for them.
        """

    def heed(self, user: int, item: int, reaction: Reaction) -> None:
        """Take note of what a user did with an item of a list, which is none of the world's own
        actions: what follows from it is true from then on. user, item: numbers."""

    def objections(
        self, random: np.random.Generator, actions: Actions, affinity: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """Which of n actions the user follows with a dislike of the item, (n,) bool; affinity: (n,)
        float32. All False where dislikes are among the actions themselves."""

    def item(self, item: str, now_ms: int) -> dict[str, Any]:
        """All that the world says about an item now, as an item event has it; now_ms: milliseconds
        since 1970."""

    def news(self, now_ms: int) -> list[bytes]:
        """Lines about items and users: what has changed since the last call; the first call tells
        all. None of items without `settings.metadata`."""

    def advance(self) -> Actions:
        """Let time pass; returns the next block of actions in order of time."""

    def gaps(self, count: int) -> NDArray[np.float64]:
        """Simulated milliseconds between the next `count` events, (count,) float64."""

    def lines(self, actions: Any, times: Iterable[int], first: int, run: str) -> list[bytes]:
        """The actions that `advance` returned, or some of them, as lines of JSON without newlines.

        times: n milliseconds since 1970. first: the number of the first action, in the ids "e0",
        "e1", …. run: a prefix of event and session ids that makes them unique to a run.
        """

    def unsettle(self, share: float) -> None:
        """Abruptly change what a random share (0 to 1) of the users want."""
