"""The quality of lists, measured in the stream: how good a list was before its event was learned.

In: a batch that is about to be learned. Out: sums to add to an account, for the list that the user
was served and for the popular list, and the items that were shown for the first time.
Test, then learn, is the prequential protocol (Dawid 1984; for recommenders Vinagre, Jorge, Gama
2014): all items except those the user has consumed are candidates, and an item that occurs for
the first time is a miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import LISTS, NEVER_TAKEN, NTH, RARE, SELDOM_TAKEN
from udfs.events.batch import EventBatch
from udfs.learning import quality_kernels
from udfs.learning.learner import Learner
from udfs.learning.quality_kernels import LONG, TOP
from udfs.memory import history_kernels
from udfs.memory.columns import Table, column
from udfs.state.handles import Rows

CUTS = (1, 5, 10, 20)
MEASURES = (
    "tests",
    *(f"recall@{k}" for k in CUTS),
    *(f"mrr@{k}" for k in (TOP, LONG)),
    f"ndcg@{TOP}",
    f"novelty@{TOP}",
)
_CUTS = np.array(CUTS)
NUMBERS = (1, 2, 5, 10)
"""Which events of a user an evaluation tests by themselves, as lists `nth<n>`: only the first of
them is no other test. Events on what the user has consumed are none."""


def sums(
    items: NDArray[np.int32], wanted: NDArray[np.int32], shares: NDArray[np.float64]
) -> dict[str, float]:
    """What n tests add to each of `MEASURES`; divided by `tests` they are means. It is for the
    baselines of an evaluation; the job calls `quality_kernels.score`, which gives the same.

    Recall@k: the share of tests whose item is among the first k, HR@k elsewhere. MRR@k: 1 / rank,
    NDCG@10: 1 / log₂(rank + 1), 0 beyond rank k or 10. Novelty@10: −log₂ of an item's share of all
    events, the mean of the first 10 (Zhou et al. 2010).

    Args:
        items: int32[n, N], the lists, −1 where one ends. wanted: int32[n], the item that the user
            chose; −1 if nobody had chosen it before.
        shares: float64[I], each item's share of all events.

    >>> found = sums(np.array([[3, 5, -1]]), np.array([5]), np.full(9, 0.25))
    >>> found["recall@1"], found["recall@5"], found["mrr@10"], found["novelty@10"]
    (0.0, 1.0, 0.5, 2.0)
    """
    hit = (items == wanted[:, None]) & (wanted >= 0)[:, None]
    found, rank = hit.any(axis=1), hit.argmax(axis=1) + 1
    near, far = found & (rank <= TOP), found & (rank <= LONG)
    top = items[:, :TOP]
    shown = top >= 0
    surprise = np.where(shown, -np.log2(shares[top]), 0.0).sum(axis=1)
    return {
        "tests": float(len(items)),
        **{f"recall@{k}": float((found & (rank <= k)).sum()) for k in CUTS},
        f"mrr@{TOP}": float((near / rank).sum()),
        f"mrr@{LONG}": float((far / rank).sum()),
        f"ndcg@{TOP}": float((near / np.log2(rank + 1)).sum()),
        f"novelty@{TOP}": float((surprise / np.maximum(shown.sum(axis=1), 1)).sum()),
    }


class Shown(Table):
    """Which items a model has shown; one that expires may be counted twice, which does no harm."""

    seen = column(np.bool_)


class Quality:
    """Tests every `every`-th event; 0 means no tests.

    Args:
        models: models whose lists are tested in addition to `LISTS`.
        nth: whether the first, second, … events of users, `NUMBERS`, are tests by themselves.
    """

    def __init__(self, every: int, models: Sequence[str] = (), nth: bool = False) -> None:
        self.every, self.models, self._nth = every, models, NUMBERS if nth else ()
        self._shown: dict[str, Shown] = {}
        self._names = {
            name: [f"{name}:{measure}" for measure in MEASURES]
            for name in (*LISTS, *models, NEVER_TAKEN, SELDOM_TAKEN)
        }
        self._compile()

    def _compile(self) -> None:
        """Compile the kernels, or load them, before the first event."""
        item, one = np.zeros((1, 1), np.int32), np.ones(1, np.int64)
        room = quality_kernels.Result(np.zeros(9), np.zeros(TOP, np.int32), np.zeros(1, np.bool_))
        total = quality_kernels.all_events(one, 1)
        quality_kernels.score(item, item[0], one, total, _CUTS, room)

    def due(self, number: int, n: int) -> bool:
        """Whether any of the next n events is a test, after `number` have been learned."""
        return self.every > 0 and -number % self.every < n

    def test(
        self,
        learner: Learner,
        batch: EventBatch,
        rows: Rows,
        history: Rows,
        number: int,
        now_ms: int,
        first: int = 0,
    ) -> tuple[dict[str, float], dict[str, list[str]]]:
        """Test the positive events of a batch before it is learned.

        Args:
            rows, history: as in `Learner.learn`. number: how many events the shard has learned.
            first: the position in the batch of the first event that may be a test.

        Returns: the sums, by `<list>:<measure>`; and the ids, by list, of items in the first 10
            that this learner has not reported yet.
        """
        if not self.due(number, len(batch)):
            return {}, {}
        due = range(-number % self.every, len(batch), self.every)
        weights = batch.weights
        chosen = [n for n in due if n >= first and weights[n] > 0]
        users, catalogue = learner.users, learner.catalogue
        slot_of = users.locate([batch.users[n] for n in chosen], rows, history, catalogue)
        wanted = catalogue.find([batch.items[n] for n in chosen])
        totals: dict[str, float] = {}
        slots, items = [], []
        for n, item in zip(chosen, wanted.tolist(), strict=True):
            slot = slot_of[batch.users[n]]
            if self._nth:
                self._test_nth(learner, slot, item, now_ms, totals)
            if not users.events[slot]:
                totals["unknown_users"] = totals.get("unknown_users", 0.0) + 1
            elif self._left_out(learner, item, slot):
                totals["repeats"] = totals.get("repeats", 0.0) + 1
            else:
                slots.append(slot)
                items.append(item)
        if not slots:
            return totals, {}
        where, taken = np.array(slots, np.int32), np.array(items, np.int32)
        events = np.where(taken >= 0, catalogue.events[taken], 0)
        totals["new_items"] = float((events == 0).sum())
        total = quality_kernels.all_events(catalogue.events, catalogue.size)
        shown: dict[str, list[str]] = {}
        popular = learner.models.by_popularity(where, now_ms)[0]
        for name, found in self._tested(learner, where, now_ms, popular):
            sums, fresh = self._score(learner, name, found, taken, total)
            totals.update(zip(self._names[name], sums, strict=True))
            if fresh:
                shown[name] = fresh
            if name == LISTS[0] and learner.models.content.described.some:
                rare = {NEVER_TAKEN: events == 0, SELDOM_TAKEN: (events > 0) & (events < RARE)}
                for part, some in rare.items():
                    given = learner, name, found[some], taken[some], total
                    totals.update(zip(self._names[part], self._score(*given)[0], strict=True))
        return totals, shown

    def _test_nth(
        self, learner: Learner, slot: int, item: int, now_ms: int, totals: dict[str, float]
    ) -> None:
        """Add the test of an event that is one of `NUMBERS` of its user."""
        number = int(learner.users.events[slot]) + 1
        if number not in self._nth or self._consumed(learner, item, slot):
            return
        where = np.array([slot], np.int32)
        for name, found in (
            (f"{NTH}{number}", learner.models.rank(where, now_ms)[0][2].items[0]),
            (f"{NTH}{number} {LISTS[1]}", learner.models.by_popularity(where, now_ms)[0][0]),
        ):
            hit = item >= 0 and item in found[:TOP].tolist()
            for measure, value in (("tests", 1.0), (f"recall@{TOP}", float(hit))):
                key = f"{name}:{measure}"
                totals[key] = totals.get(key, 0.0) + value
        if number == 1:  # a stranger's event looks at popularity when its item is known
            learner.models.forget_popular()

    def _tested(
        self,
        learner: Learner,
        slots: NDArray[np.int32],
        now_ms: int,
        popular: NDArray[np.int32],
    ) -> Iterator[tuple[str, NDArray[np.int32]]]:
        """The lists of the users in `slots`, int32[n, N], by name."""
        served, always = LISTS
        for name in (served, always, *self.models):
            if name == always:
                yield name, popular
                continue
            parts = learner.models.rank(slots, now_ms, "" if name == served else name)
            if (own := learner.models.own_files.get(name)) is not None and own.silent:
                continue  # the lists are another model's
            if len(parts) == 1:
                yield name, parts[0][2].items
                continue
            found = np.empty_like(popular)
            for _, at, lists in parts:
                found[at] = lists.items
            yield name, found

    def _left_out(self, learner: Learner, item: int, slot: int) -> bool:
        """Whether no list of the user could have had the item."""
        own = learner.models.steps.own
        if not own.idle and own.has(slot, np.array([item])).any():
            return True
        return learner.settings.lists.exclude_consumed and self._consumed(learner, item, slot)

    def _consumed(self, learner: Learner, item: int, slot: int) -> bool:
        users = learner.users
        # As int32, for which it is already compiled: compiling it again would stall the stream.
        pair = np.int32(item), np.int32(slot)
        return item >= 0 and bool(
            history_kernels.consumed(*pair, users.tail, users.fill, users.older, users.pages)
        )

    def _score(
        self,
        learner: Learner,
        name: str,
        found: NDArray[np.int32],
        taken: NDArray[np.int32],
        total: int,
    ) -> tuple[list[float], list[str]]:
        """What one list's tests add to each of `MEASURES`, and its items shown for the first
        time."""
        catalogue, shown = learner.catalogue, self._shown.get(name)
        if shown is None:
            shown = self._shown[name] = catalogue.attach(Shown())
        sums, fresh = np.zeros(len(MEASURES)), np.empty(found.shape[0] * TOP, np.int32)
        result = quality_kernels.Result(sums, fresh, shown.seen)
        given = np.ascontiguousarray(found), taken, catalogue.events
        count = quality_kernels.score(*given, total, _CUTS, result)
        names = catalogue.names(sorted(fresh[:count].tolist())) if count else []
        return sums.tolist(), names
