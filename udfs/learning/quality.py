"""The quality of lists, measured in the stream: how good a list was before its event was learned.

In: a batch that is about to be learned. Out: sums to add to an account, for the list that the user
was served and for the popular list, and the items that were shown for the first time.
Test, then learn, is the prequential protocol (Dawid 1984; for recommenders Vinagre, Jorge, Gama
2014): all items except those the user has consumed are candidates, and an item that occurs for
the first time is a miss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from udfs.accounts import LISTS
from udfs.events.batch import EventBatch
from udfs.learning.learner import Learner
from udfs.memory import history_kernels
from udfs.memory.columns import Table, column
from udfs.state.handles import Rows

CUTS = (1, 5, 10, 20)
TOP = 10  # of MRR, NDCG, novelty and coverage


def sums(
    items: NDArray[np.int32], wanted: NDArray[np.int32], shares: NDArray[np.float64]
) -> dict[str, float]:
    """What n tests add to each measure; divided by `tests` they are means.

    Recall@k: the share of tests whose item is among the first k. MRR@10: 1 / rank, NDCG@10:
    1 / log₂(rank + 1), both 0 beyond rank 10. Novelty@10: −log₂ of an item's share of all events,
    the mean of the first 10 (Zhou et al. 2010).

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
    near = found & (rank <= TOP)
    top = items[:, :TOP]
    shown = top >= 0
    surprise = np.where(shown, -np.log2(shares[top]), 0.0).sum(axis=1)
    return {
        "tests": float(len(items)),
        **{f"recall@{k}": float((found & (rank <= k)).sum()) for k in CUTS},
        f"mrr@{TOP}": float((near / rank).sum()),
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
    """

    def __init__(self, every: int, models: Sequence[str] = ()) -> None:
        self.every, self.models = every, models
        self._shown: dict[str, Shown] = {}

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
        if not self.every:
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
            if not users.events[slot]:
                _add(totals, {"unknown_users": 1})
            elif learner.settings.lists.exclude_consumed and self._consumed(learner, item, slot):
                _add(totals, {"repeats": 1})
            else:
                slots.append(slot)
                items.append(item)
        if not slots:
            return totals, {}
        _add(totals, {"new_items": items.count(-1)})
        where, taken = np.array(slots, np.int32), np.array(items, np.int32)
        counts = np.maximum(catalogue.events[: catalogue.size], 1)
        shares = counts / counts.sum()
        shown: dict[str, list[str]] = {}
        popular = learner.models.by_popularity(where, now_ms)[0]
        tested = dict(zip(LISTS, (np.empty_like(popular), popular), strict=True))
        for name in (LISTS[0], *self.models):
            tested[name] = found = np.empty_like(popular)
            model = "" if name == LISTS[0] else name
            for _, at, lists in learner.models.rank(where, now_ms, model):
                found[at] = lists.items
        for name, found in tested.items():
            _add(totals, {f"{name}:{k}": v for k, v in sums(found, taken, shares).items()})
            if fresh := self._show(learner, name, found[:, :TOP]):
                shown[name] = fresh
        return totals, shown

    def _consumed(self, learner: Learner, item: int, slot: int) -> bool:
        users = learner.users
        # As int32, for which it is already compiled: compiling it again would stall the stream.
        pair = np.int32(item), np.int32(slot)
        return item >= 0 and bool(
            history_kernels.consumed(*pair, users.tail, users.fill, users.older, users.pages)
        )

    def _show(self, learner: Learner, name: str, top: NDArray[np.int32]) -> list[str]:
        """The items shown for the first time."""
        catalogue, shown = learner.catalogue, self._shown.get(name)
        if shown is None:
            shown = self._shown[name] = catalogue.attach(Shown())
        slots = np.unique(top[top >= 0])
        fresh = slots[~shown.seen[slots]]
        shown.seen[fresh] = True
        return catalogue.names(fresh.tolist())


def _add(totals: dict[str, float], more: Mapping[str, float]) -> None:
    for name, value in more.items():
        totals[name] = totals.get(name, 0.0) + value
