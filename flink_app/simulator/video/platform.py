"""The simulated video platform: a world whose truth is known, with series watched in order.

In: `VideoSettings`. Out: `Watches`, block after block, and the truth behind them: who likes what,
which episode is next, and what a user would begin from a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator import sessions, truth
from flink_app.simulator.actions import Actions
from flink_app.simulator.item_lines import encode_item
from flink_app.simulator.names import number_of
from flink_app.simulator.people import People
from flink_app.simulator.video import audience, lines
from flink_app.simulator.video.descriptions import fields, opened
from flink_app.simulator.video.library import Library
from flink_app.simulator.video.lines import WATCH, Watches
from flink_app.simulator.video.names import GENRES
from flink_app.simulator.video.settings import VideoSettings
from flink_app.simulator.video.viewers import Viewers
from flink_app.simulator.video.watching import watch
from flink_app.simulator.world import Reaction


class VideoPlatform:
    """A seeded world of users and videos, see `World`.

    The truth is that of the moment at which the latest block of actions begins: what is watched in
    a block counts from the next one on.

    >>> site = VideoPlatform(VideoSettings(users=100, items=60, seed=3))
    >>> site.affinity("u5").shape, site.title("i17"), site.category("i17")
    ((60,), 'Glass Postcard, 1: Home Again', 'romance')
    """

    def __init__(self, settings: VideoSettings) -> None:
        self.settings = settings
        world, events, clock, responses = np.random.default_rng(settings.seed).spawn(4)
        self._events, self._clock, self._responses = events, clock, responses
        self._library = Library(world, settings.items, settings.popularity, settings.episodes)
        self._people = People(world, settings.users, self._library.centres)
        self._now, self._later = Viewers(self._library), Viewers(self._library)
        none = np.empty(0, np.int64)
        nothing = Watches(none, none, none, none, np.empty(0, np.float64))
        self._block, self._ahead = nothing, sessions.Ahead(nothing)
        self._sessions = self._told = 0
        self._new_users = sessions.Due(settings.new_users)
        self._new_items = sessions.Due(settings.new_items)
        self._grow()

    @property
    def users(self) -> int:
        """Number of users so far, ids "u0" to "u{users - 1}"."""
        return len(self._people)

    @property
    def items(self) -> int:
        """Number of videos so far, ids "i0" to "i{items - 1}"."""
        return len(self._library)

    @property
    def popularity(self) -> NDArray[np.float64]:
        """How often each video is on display, (items,) float64 shares that sum to 1 (a copy)."""
        weights = self._library.popularity
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    @property
    def available(self) -> NDArray[np.bool_]:
        """All videos, (items,) bool."""
        return np.ones(self.items, np.bool_)

    def title(self, item: str) -> str:
        """What the video is called; MillirecError for an unknown id."""
        number = self._item(item)
        return self._library.wording.title(number, int(self._library.episodes[number]))

    def category(self, item: str) -> str:
        """Its genre, one of `names.GENRES`; MillirecError for an unknown id."""
        return GENRES[int(self._library.genres[self._item(item)])]

    def caption(self, item: str) -> str:
        """How long it lasts, to print; MillirecError for an unknown id."""
        return f"{int(self._library.seconds[self._item(item)]) // 60} min"

    def is_new(self, item: str) -> bool:
        """Whether it has arrived since the platform began; MillirecError for an unknown id."""
        return self._item(item) >= self.settings.items

    def affinity(self, user: str) -> NDArray[np.float32]:
        """The truth: how well each video suits the user, (items,) float32; see `Viewers.lift`."""
        number = number_of(user, "u", self.users, self._place)
        row: NDArray[np.float32] = self.affinities(np.array([number]))[0]
        return row

    def affinities(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """`affinity` of several users: (n,) int64 numbers → (n, items) float32."""
        library, items = self._library, self._now.ended.shape[1]
        everything = np.broadcast_to(np.arange(items), (len(users), items))
        scores: NDArray[np.float32] = self._people.tastes[users] @ library.vectors[:items].T
        scores += library.appeal[:items] + self._now.lift(users, everything)
        return scores

    def click_probability(self, user: str, items: Sequence[str]) -> NDArray[np.float64]:
        """The probability that the user begins each video when looking at it, (len(items),) float64
        in (0, 1); MillirecError for an unknown id."""
        numbers = np.array([self._item(item) for item in items], np.int64)
        return truth.click_probability(self.affinity(user)[numbers])

    def respond(self, user: str, shown_items: Sequence[str]) -> str | None:
        """Show the user a list, best video first, and return the one that is begun, or None; see
        `truth.first_click`. MillirecError for an unknown id."""
        probabilities = self.click_probability(user, shown_items)
        return sessions.taken(self._responses, probabilities, shown_items)

    def answer(
        self,
        random: np.random.Generator,
        user: int,
        items: NDArray[np.int64],
        affinity: NDArray[np.float32],
    ) -> list[Reaction]:
        """See `World.answer` and `audience.answer`."""
        tastes = self._people.tastes[user : user + 1]
        own = self._library.affinity(tastes, items[None, :])[0]
        return audience.answer(random, affinity, own)

    def heed(self, user: int, item: int, reaction: Reaction) -> None:
        """See `World.heed`: the next episode is the one after what was watched."""
        if reaction.kind == lines.KINDS[WATCH] and reaction.value is not None:
            what = np.array([user]), np.array([item]), np.array([reaction.value])
            self._now.note(*what)
            self._later.note(*what)

    def objections(
        self, random: np.random.Generator, actions: Actions, affinity: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """See `World.objections`: a video that is disliked is given up."""
        return np.zeros(len(actions), np.bool_)

    def item(self, item: str, now_ms: int) -> dict[str, Any]:
        """All that the platform says about a video now, as an item event has it."""
        number = self._item(item)
        new = number >= self.settings.items
        published = now_ms if new else opened(self._library, number, now_ms)
        return fields(self._library, number, published)

    def news(self, now_ms: int) -> list[bytes]:
        """Lines about the videos that have arrived since the last call; the first call describes
        all. None without `settings.metadata`."""
        fresh = range(self._told, self.items if self.settings.metadata else self._told)
        self._told = fresh.stop
        return [encode_item(one, now_ms, self.item(f"i{one}", now_ms)) for one in fresh]

    def advance(self) -> Watches:
        """Let time pass: newcomers arrive, sessions start, tastes drift.

        Returns the next block of actions in order of time. Sessions that are still open continue in
        the next block; a user has one session at a time.
        """
        span = self.settings.session_videos  # number of steps in which the block's sessions start
        watched = self._block.take(np.flatnonzero(self._block.kinds == WATCH))
        self._now.note(watched.users, watched.items, watched.values)
        users = self._starters()
        self._grow()
        self._people.drift(users, self.settings.drift)
        tastes = self._people.tastes[users]
        started, moments = watch(
            self._events, self._library, self._later, users, tastes, self._sessions, span
        )
        self._sessions += len(users)
        self._block = self._ahead.block(started, moments, span)
        self._new_users.passed(len(self._block))
        self._new_items.passed(len(self._block))
        return self._block

    def lines(self, actions: Watches, times: Iterable[int], first: int, run: str) -> list[bytes]:
        """See `World.lines`."""
        return lines.encode(actions, times, first, run)

    def unsettle(self, share: float) -> None:
        """Abruptly change what a random share (0 to 1) of the users want: they swap tastes."""
        self._people.swap(share)

    def gaps(self, count: int) -> NDArray[np.float64]:
        """Simulated milliseconds between the next `count` events: a Poisson process."""
        return sessions.gaps(self._clock, self.settings.traffic, count)

    def _starters(self) -> NDArray[np.int64]:
        """The users who start a session in this block: all newcomers, an eighth of the others."""
        self._library.grow(self._new_items.take())
        regulars = sessions.regulars(self.users)
        back = self._people.visitors(regulars, self._ahead.users)
        return np.concatenate([self._people.grow(self._new_users.take()), back])

    def _grow(self) -> None:
        for viewers in (self._now, self._later):
            viewers.grow(self.users)

    @property
    def _place(self) -> str:
        return self.settings.place

    def _item(self, item: str) -> int:
        return number_of(item, "i", self.items, self._place)
