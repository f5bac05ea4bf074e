"""The simulated network: a world whose truth is known, and which generates events to learn from.

In: `SocialSettings`. Out: `Actions`, block after block, and the truth behind them, for tests and
for the demo: whom posts suit, while they are new.
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
from flink_app.simulator.social import audience, lines, names
from flink_app.simulator.social.browse import Browsing, affinity
from flink_app.simulator.social.follows import Follows
from flink_app.simulator.social.posts import Posts
from flink_app.simulator.social.settings import SocialSettings
from flink_app.simulator.world import Reaction

_MINUTE_MS = 60_000


class Social:
    """A seeded world of users and posts; the same settings give the same world and events.

    Time passes by what `news` is told: posts grow older, and are over. The truth is that of then,
    and of the latest block of actions. Reading it and showing lists does not change what happens
    later.

    >>> world = Social(SocialSettings(users=100, items=60, seed=3))
    >>> world.affinity("u5").shape, world.title("i17"), world.category("i17")
    ((60,), 'Three words for the cup: chilly,…', 'football')
    """

    def __init__(self, settings: SocialSettings) -> None:
        self.settings = settings
        world, events, clock, responses, who = np.random.default_rng(settings.seed).spawn(5)
        self._clock, self._responses, self._authors = clock, responses, world
        self._posts = Posts(world, settings.lifetime_s * 1000.0)
        self._people = People(world, settings.users, self._posts.centres)
        self._follows = Follows(who, settings.follows, settings.popularity)
        self._follows.grow(self._people.tastes)
        self._browsing = Browsing(events, self._posts, self._follows)
        nothing = np.empty(0, np.int64)
        self._ahead = sessions.Ahead(Actions(nothing, nothing, nothing, nothing))
        self._sessions = self._told = 0
        self._new_users = sessions.Due(settings.new_users)
        self._new_posts = sessions.Due(settings.new_items)
        self._began_ms: int | None = None
        self._write(settings.items, old=True)

    @property
    def users(self) -> int:
        """Number of users so far, ids "u0" to "u{users - 1}", all of whom write posts."""
        return len(self._people)

    @property
    def items(self) -> int:
        """Number of posts so far, ids "i0" to "i{items - 1}", also of those that are over."""
        return len(self._posts)

    @property
    def popularity(self) -> NDArray[np.float64]:
        """How often each post is on display, (items,) float64 shares that sum to 1; 0 for those
        that are over."""
        shares = np.zeros(self.items)
        shares[self._posts.live] = self._posts.display(self._follows.fame)
        shares /= shares.sum()
        return shares

    @property
    def available(self) -> NDArray[np.bool_]:
        """Whether each post is still shown, (items,) bool."""
        out: NDArray[np.bool_] = self._posts.ends > self._posts.now
        return out

    def title(self, item: str) -> str:
        """How a post begins, for an id such as "i204"; MillirecError for an unknown id."""
        told: str = lines.fields(self._posts, self._item(item), 0)["title"]
        return told

    def category(self, item: str) -> str:
        """The post's topic, one of `names.TOPICS`; MillirecError for an unknown id."""
        return names.TOPICS[int(self._posts.topics[self._item(item)])]

    def caption(self, item: str) -> str:
        """How old a post is, to print; MillirecError for an unknown id."""
        number = self._item(item)
        minutes = int(max(self._posts.now - self._posts.born[number], 0.0)) // _MINUTE_MS
        return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h"

    def is_new(self, item: str) -> bool:
        """Whether it was written since the world began; MillirecError for an unknown id."""
        return self._item(item) >= self.settings.items

    def affinity(self, user: str) -> NDArray[np.float32]:
        """The truth: how well each post suits the user now.

        Returns (items,) float32, row n for post "i{n}"; `interest.GONE` for those that are over and
        the user's own. MillirecError for an unknown id.
        """
        found: NDArray[np.float32] = self.affinities(np.array([self._user(user)]))[0]
        return found

    def affinities(self, users: NDArray[np.int64]) -> NDArray[np.float32]:
        """`affinity` of several users: (n,) int64 numbers → (n, items) float32."""
        everything = np.tile(np.arange(self.items), (len(users), 1))
        return affinity(self._posts, self._follows, users, self._people.tastes[users], everything)

    def click_probability(self, user: str, items: Sequence[str]) -> NDArray[np.float64]:
        """The probability that the user opens each post when looking at it.

        Returns (len(items),) float64 in 0 to 1, see `truth.click_probability`; MillirecError for an
        unknown id.
        """
        numbers = np.array([[self._item(item) for item in items]], np.int64)
        users = np.array([self._user(user)])
        tastes = self._people.tastes[users]
        found = affinity(self._posts, self._follows, users, tastes, numbers)[0]
        return truth.click_probability(found)

    def respond(self, user: str, shown_items: Sequence[str]) -> str | None:
        """Show the user a list, best post first, and return the one that is opened, or None; see
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
        return audience.answer(random, affinity)

    def heed(self, user: int, item: int, reaction: Reaction) -> None:
        """See `World.heed`: a post that is shared is on display more often."""
        if reaction.kind == "share":
            self._posts.shares[item] += 1

    def objections(
        self, random: np.random.Generator, actions: Actions, affinity: NDArray[np.float32]
    ) -> NDArray[np.bool_]:
        """See `World.objections`: nobody dislikes posts here."""
        return np.zeros(len(actions), np.bool_)

    def item(self, item: str, now_ms: int) -> dict[str, Any]:
        """All that the network says about a post, as an item event has it.

        now_ms: milliseconds since 1970; the world begins then if it has not begun. MillirecError
        for an unknown id.
        """
        number = self._item(item)
        if self._began_ms is None:
            return lines.fields(self._posts, number, now_ms)
        return self._fields(number)

    def news(self, now_ms: int) -> list[bytes]:
        """Let it be `now_ms`, milliseconds since 1970. Returns lines about new posts, none without
        `settings.metadata`, and about users who follow others than at the last call; the first call
        tells all.

        In simulated time, which begins at `settings.start_ms`, a post does not say when it expires,
        since that has long been when a job reads it: a line says so when it is over.
        """
        posts, before = self._posts, self._posts.now
        if self._began_ms is None:
            self._began_ms = now_ms
        posts.pass_time(max(float(now_ms - self._began_ms), before))
        told = self._follows.lines(now_ms)
        if self.settings.metadata:
            ended = posts.ends[: self._told]
            over = (
                np.flatnonzero((before < ended) & (ended <= posts.now)) if self._simulated else ()
            )
            told += [encode_item(int(number), now_ms, {"available": False}) for number in over]
            fresh = range(self._told, self.items)
            told += [encode_item(number, now_ms, self._fields(number)) for number in fresh]
        self._told = self.items
        return told

    def advance(self) -> Actions:
        """Let something happen: newcomers arrive, posts are written, sessions start, tastes drift.

        Returns the next block of actions in order of time, 0 to about ten thousand. Sessions that
        are still open continue in the next block; a user has one session at a time.
        """
        settings, people = self.settings, self._people
        span = settings.session_views  # number of steps in which the block's sessions start
        newcomers = self._arrive()
        regulars = sessions.regulars(self.users)
        users = np.concatenate([newcomers, people.visitors(regulars, self._ahead.users)])
        people.drift(users, settings.drift)
        self._follows.change(users, settings.changes, people.tastes)
        given = users, people.tastes[users], self._sessions, span
        actions = self._ahead.block(*self._browsing.sessions(*given), span)
        actions = actions.take(np.flatnonzero(self._posts.ends[actions.items] > self._posts.now))
        self._sessions += len(users)
        self._new_users.passed(len(actions))
        self._new_posts.passed(len(actions))
        shared = actions.items[actions.kinds == lines.KINDS.index("share")]
        np.add.at(self._posts.shares, shared, 1)
        return actions

    def lines(self, actions: Actions, times: Iterable[int], first: int, run: str) -> list[bytes]:
        """See `World.lines`."""
        return lines.encode(actions, times, first, run)

    def unsettle(self, share: float) -> None:
        """Abruptly change what a random share (0 to 1) of the users want: they swap tastes."""
        self._people.swap(share)

    def gaps(self, count: int) -> NDArray[np.float64]:
        """Simulated milliseconds between the next `count` events: a Poisson process."""
        return sessions.gaps(self._clock, self.settings.traffic, count)

    def _arrive(self) -> NDArray[np.int64]:
        """Let users arrive and posts be written; returns the numbers of these users."""
        users, posts = self._new_users.take(), self._new_posts.take()
        newcomers = self._people.grow(users)
        if users:
            self._follows.grow(self._people.tastes)
        # Nobody browses a network without any post.
        self._write(posts or int(not self.available.any()), old=False)
        return newcomers

    @property
    def _simulated(self) -> bool:
        """Whether the world's time is simulated, and not that of the clock."""
        return self._began_ms == self.settings.start_ms

    def _fields(self, number: int) -> dict[str, Any]:
        """All that is said of a post, once the world has begun."""
        told = lines.fields(self._posts, number, self._began_ms or 0)
        if self._simulated:
            del told["expires"]
        return told

    def _write(self, count: int, *, old: bool) -> None:
        weights = self._people.activity / self._people.activity.sum()
        authors = self._authors.choice(self.users, count, p=weights)
        self._posts.write(authors, self._people.tastes[authors], old)
        self._posts.pass_time(self._posts.now)

    def _item(self, item: str) -> int:
        return number_of(item, "i", self.items, "social network")

    def _user(self, user: str) -> int:
        return number_of(user, "u", self.users, "social network")
