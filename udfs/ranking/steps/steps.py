"""All that is done with ranked lists before they are served: re-ranking, follows, searches,
exploration, then rules.

In: lists as ranked, longer than wanted if a step needs that. Out: lists as served. Without
re-ranking, without rules about lists, without items that the shop has described and users who
follow anybody, they stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.memory.history_kernels import Batch
from udfs.models.content.source import Content
from udfs.models.model import Shop
from udfs.models.popular.source import Popular
from udfs.models.ranked import Lists, Served, Told
from udfs.models.settings import Settings
from udfs.models.social.source import Social
from udfs.ranking.steps.examination import EXAMINATION, Examination
from udfs.ranking.steps.explore import Exploration
from udfs.ranking.steps.followed import Followed
from udfs.ranking.steps.own import Own
from udfs.ranking.steps.rerank import Reranking
from udfs.ranking.steps.rules import RuleStep, needed
from udfs.ranking.steps.searched import Searches

After = tuple[str, NDArray[np.int32]]
"""A step, and the items of lists after it."""


class Steps:
    """The steps of one subtask.

    Attributes:
        searches: what users look for in words.
        explore: new items in places of lists.
        followed: what those took whom users follow.
        own: what users have published themselves.
        rerank: the steps of re-ranking.
        examination: how likely places are looked at.
    """

    def __init__(
        self, settings: Settings, shop: Shop, content: Content, social: Social, popular: Popular
    ) -> None:
        n, self._shop, self._settings = settings.lists.length, shop, settings
        self.searches, self._content = Searches(shop, content, n), content
        self._social = social
        self.own = Own(settings, shop, popular)
        self.followed = Followed(settings.of("social"), social, self.own, n)
        self.rerank = Reranking(settings, shop, content, needed(settings))
        self._rules = RuleStep(settings, shop)
        self.examination = Examination(wanted=settings.ranker.position_bias)
        seed = settings.model.seed
        self.explore = Exploration(settings.explore, shop, content, self.own, n, seed)

    def varied(self, settings: Settings) -> Steps:
        """The same for users of a variant, see `udfs.models.varied`: what is counted and learned
        is that of all users."""
        other = copy(self)
        other.rerank = self.rerank.varied(settings, needed(settings))
        other.explore = self.explore.varied(settings.explore)
        if settings.rules != self._settings.rules:
            other._rules = RuleStep(settings, self._shop)
        return other

    @property
    def learning(self) -> dict[str, Any]:
        """The steps with parameters that all user learners share, by the names of these."""
        own = {EXAMINATION: self.examination} if self.examination.wanted else {}
        return self.rerank.learning | own

    def count(self, batch: Batch) -> None:
        """Note the events of a batch."""
        self.searches.fade(batch.users)
        self._content.touch(batch)
        self.rerank.repeats.count(batch)

    def forget_users(self, users: Iterable[str]) -> None:
        """Forget what users have searched for and were shown, also in the state."""
        names = [*users]
        self.searches.forget(names)
        self.rerank.repeats.forget(names)

    def forget(self) -> None:
        """Look again at which items there are."""
        self._rules.forget()
        self._social.forget()
        self.explore.look()

    def for_all(self, lists: Lists, by: NDArray[np.float32] | None = None) -> Lists:
        """Lists of nobody in particular: nothing is explored in them; `by`: see `RuleStep`."""
        return self._rules.for_all(lists, by)

    def served(self, told: Told, users: NDArray[np.int32], explore: bool) -> Served:
        """Lists of the users in the cache slots `users` (int32[n]).

        Args:
            explore: whether new items may get places and what followed users took, and what was
                searched for leads.
        """
        return self.after(self.rerank.put(told, users), users, explore)

    def after(self, told: Told, users: NDArray[np.int32], explore: bool) -> Served:
        """The same of lists that are re-ranked already."""
        if not explore:
            return Served(*self._ruled(told, users))
        *_, (_, served) = self._each(told, users)
        self.rerank.exposure.see(served.items)
        return served

    def trace(self, told: Told, users: NDArray[np.int32]) -> tuple[list[After], Served]:
        """What `after` makes of users' lists, step by step: after each step that there is the
        items, int32[n, M], best first, and at last the lists. Nothing is counted, learned or drawn
        by it."""
        after: list[After] = []
        for name, served in self._each(told, users, trial=True):
            if name:
                after.append((name, served.items.copy()))
        return after, served

    def _each(
        self, told: Told, users: NDArray[np.int32], *, trial: bool = False
    ) -> Iterator[tuple[str, Served]]:
        """The steps after re-ranking in their order: the name of each that has changed anything and
        the lists after it, which the next one may change; the last ones are served, with the name
        "" if nothing has changed them.

        Args:
            trial: see `Exploration.choose`; `told` stays as it is.
        """
        for name, put in (("follows", self.followed.put), ("searches", self.searches.lead)):
            before, told = told, put(told, users)
            if told is not before:
                yield name, Served(*told)
        chosen = None
        if not self.explore.idle:
            told = Told._make([array.copy() for array in told]) if trial else told
            chosen = self.explore.choose(told, users, trial=trial)
        if chosen is not None:
            yield "exploration", Served(*told)
        before, told = told, self._ruled(told, users)
        chances = None
        if chosen is not None:
            chances = chosen.places(told.items)
            self._explain(told, users, *chances.nonzero())
        yield "" if told is before else "rules", Served(*told, chances)

    def _ruled(self, told: Told, users: NDArray[np.int32]) -> Told:
        """The lists as the rules have them, without own items."""
        return self.own.sweep(self._rules.told(self.own.out(told, users), users), users)

    def _explain(
        self, told: Told, users: NDArray[np.int32], rows: NDArray[np.intp], at: NDArray[np.intp]
    ) -> None:
        """Set the reasons of some places of lists to the last items that what is there is like."""
        found = self._content.explain(users[rows], told.items[rows, at][:, None])
        told.reasons[rows, at] = found[:, 0, : told.reasons.shape[2]]
