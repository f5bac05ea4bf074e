"""The simulated shop: a world whose truth is known, and which generates events to learn from.

In: `ShopSettings`. Out: `Actions`, block after block, and the truth behind them, for tests and for
the demo: who likes what, and what a user would click in a list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator import sessions, truth
from flink_app.simulator.actions import Actions, joined
from flink_app.simulator.names import number_of
from flink_app.simulator.people import People
from flink_app.simulator.segments import Segments
from flink_app.simulator.shop import audience, lines, names
from flink_app.simulator.shop.assortment import Catalogue
from flink_app.simulator.shop.browse import browse
from flink_app.simulator.shop.news import News
from flink_app.simulator.shop.searching import search
from flink_app.simulator.shop.settings import ShopSettings
from flink_app.simulator.world import Reaction


class Shop:
    """A seeded world of users and items; the same settings give the same world and events.

    The truth is that of the latest block of actions: tastes drift and newcomers arrive with
    `advance`. Reading it and showing lists does not change what happens later.

    >>> shop = Shop(ShopSettings(users=100, items=60, seed=3))
    >>> shop.affinity("u5").shape, shop.title("i17"), shop.category("i17")
    ((60,), 'Alderby Velvet Train', 'toys')
    """

    def __init__(self, settings: ShopSettings) -> None:
        self.settings = settings
        # The first four alone decide what happens in a shop without searches and outages.
        world, events, clock, responses, asked, stock, who = np.random.default_rng(
            settings.seed
        ).spawn(7)
        self._events, self._clock, self._responses = events, clock, responses
        self._asked = asked
        self._catalogue = Catalogue(world, settings.items, settings.popularity)
        centres = self._catalogue.centres
        self._segments = Segments(who, len(centres)) if settings.profiles else None
        self._people = People(world, settings.users, centres, self._segments)
        nothing = np.empty(0, np.int64)
        self._ahead = sessions.Ahead(Actions(nothing, nothing, nothing, nothing))
        self._sessions = 0
        self._new_users = sessions.Due(settings.new_users)
        self._new_items = sessions.Due(settings.new_items)
        self._news = News(settings, self._catalogue, stock)

    @property
    def users(self) -> int:
        """Number of users so far, ids "u0" to "u{users - 1}"."""
        return len(self._people)

    @property
    def items(self) -> int:
        """Number of items so far, ids "i0" to "i{items - 1}"."""
        return len(self._catalogue)

    @property
    def popularity(self) -> NDArray[np.float64]:
        """How often each item is on display, (items,) float64 shares that sum to 1 (a copy); 0 for
        those out of stock."""
        weights = self._catalogue.popularity * self._catalogue.available
        shares: NDArray[np.float64] = weights / weights.sum()
        return shares

    def title(self, item: str) -> str:
        """A product name to print, for an id such as "i204"; MillirecError for an unknown id."""
        return self._catalogue.wording.title(self._item(item))

    def category(self, item: str) -> str:
        """The item's category, one of `names.CATEGORIES`; MillirecError for an unknown id."""
        return names.category(self._item(item))

    def price(self, item: str) -> float:
        """What an item costs, EUR; MillirecError for an unknown id."""
        return self._news.price(self._item(item))

    def caption(self, item: str) -> str:
        """What an item costs, to print; MillirecError for an unknown id."""
        return f"€{self.price(item):.2f}"

    def is_new(self, item: str) -> bool:
        """Whether it has arrived since the shop opened; MillirecError for an unknown id."""
        return self._item(item) >= self.settings.items

    def affinity(self, user: str) -> NDArray[np.float32]:
        """The truth: how well each item suits the user.

        Returns (items,) float32, −1.15 to 1.15, row n for item "i{n}"; MillirecError for an
        unknown id.
        """
        everything = np.arange(self.items)[None, :]
        affinities: NDArray[np.float32] = self._catalogue.affinity(self._taste(user), everything)[0]
        return affinities

    def click_probability(self, user: str, items: Sequence[str]) -> NDArray[np.float64]:
        """The probability that the user clicks each item when looking at it.

        Returns (len(items),) float64 in (0, 1), see `truth.click_probability`; MillirecError for
        an unknown id.
        """
        numbers = np.array([self._item(item) for item in items], np.int64)
        affinity = self._catalogue.affinity(self._taste(user), numbers[None, :])[0]
        return truth.click_probability(affinity)

    def fit(self, query: str) -> NDArray[np.float64]:
        """How well each item fits words that are searched for: the share of them that it has.

        Returns (items,) float64 in 0 to 1.
        """
        wanted = query.lower().split()
        own = [self._news.words(number) for number in range(self.items)]
        found = [sum(word in words for word in wanted) for words in own]
        return np.array(found) / max(len(wanted), 1)

    @property
    def available(self) -> NDArray[np.bool_]:
        """Whether each item is in stock, (items,) bool."""
        return self._catalogue.available

    def item(self, item: str, now_ms: int) -> dict[str, Any]:
        """All that the shop says about an item now, as an item event has it.

        now_ms: milliseconds since 1970. MillirecError for an unknown id.
        """
        return self._news.item(self._item(item), now_ms)

    def news(self, now_ms: int) -> list[bytes]:
        """Lines about items and users: what arrived, and what went out of stock or came back, since
        the last call; the first call describes all. None of items without `settings.metadata`, none
        of users without `settings.profiles`."""
        told = [] if self._segments is None else self._segments.lines(now_ms)
        return self._news.lines(now_ms) + told

    def respond(self, user: str, shown_items: Sequence[str]) -> str | None:
        """Show the user a list, best item first, and return the clicked item, or None.

        Users read from the top, click the first item that they like and may lose patience, see
        `truth.first_click`: a list with better items at the top earns more clicks. MillirecError
        for an unknown id.
        """
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
        dislikes = bool(audience.sends_dislikes(np.array([user]))[0])
        return [Reaction(*event) for event in audience.answer(random, affinity, dislikes)]

    def heed(self, user: int, item: int, reaction: Reaction) -> None:
        """See `World.heed`: in a shop nothing follows."""

    def objections(
        self, random: np.random.Generator, actions: Actions, affinity: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """See `World.objections` and `audience.disliked_views`."""
        disliked = audience.disliked_views(random, actions.users, affinity)
        disliked &= actions.kinds == 0
        return disliked

    def advance(self) -> Actions:
        """Let time pass: newcomers arrive, sessions start, tastes drift.

        Returns the next block of actions in order of time, 0 to about ten thousand. Sessions that
        are still open continue in the next block; a user has one session at a time.
        """
        span = self.settings.session_views  # number of steps in which the block's sessions start
        users = self._starters()
        self._people.drift(users, self.settings.drift)
        started, moments = browse(
            self._events, self._catalogue, users, self._people.tastes[users], self._sessions, span
        )
        self._sessions += len(users)
        if self.settings.searches:
            asked, before = search(
                self._asked,
                self._catalogue.wording,
                (started, moments),
                self._people.tastes,
                self.settings.searches,
            )
            started, moments = joined(asked, started), np.concatenate([before, moments])
        actions = self._ahead.block(started, moments, span)
        ended = len(actions)
        self._new_users.passed(ended)
        self._new_items.passed(ended)
        self._news.passed(ended)
        return actions

    def affinities(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """`affinity` of several users: (n,) int64 numbers → (n, items) float32."""
        c = self._catalogue
        scores: NDArray[np.float32] = self._people.tastes[users] @ c.vectors.T + c.appeal
        return scores

    def lines(self, actions: Actions, times: Iterable[int], first: int, run: str) -> list[bytes]:
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
        self._catalogue.grow(self._new_items.take())
        self._news.restock()
        regulars = sessions.regulars(self.users)
        back = self._people.visitors(regulars, self._ahead.users)
        return np.concatenate([self._people.grow(self._new_users.take()), back])

    def _item(self, item: str) -> int:
        return number_of(item, "i", self.items, "shop")

    def _taste(self, user: str) -> NDArray[np.float32]:
        """The user's taste now, (1, FACTORS) float32."""
        number = number_of(user, "u", self.users, "shop")
        return self._people.tastes[number : number + 1]
