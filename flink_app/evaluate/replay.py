"""One pass of recorded events through a learner in this process: test, then learn, and of some
tests the lists that several settings make of the same candidates.

In: a `Learner`, events in order of time, and what makes lists of what it ranked. Out: a `Replay`.
A test is what it is in the job (`udfs.learning.quality`), and each event is learned by itself, as
in strict mode. As lists teach nothing, one pass serves all settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flink_app.evaluate.rates import Outcomes
from udfs.events.batch import EventBatch, cut
from udfs.learning.learner import Learner
from udfs.learning.quality import Quality
from udfs.learning.served import Served
from udfs.models.ranked import Told
from udfs.state.handles import MemoryRows

Make = Callable[[Told, NDArray[np.int32], int], NDArray[np.int32]]
"""Makes the list of one user of what was ranked: the user's cache slot, int32[1], and the time of
the event that follows, ms; returns slots of items, int32[N]."""


class Plan(NamedTuple):
    """Which events are tests: those after so many; whether nothing is learned any more from then
    on; and of each how many tests lists are made, beginning with the first.

    Attributes:
        now_ms: the clock.
    """

    now_ms: int
    after: int = 0
    freeze: bool = False
    every: int = 1


class Replay(NamedTuple):
    """What n events have shown, in t tests, of m of which there are lists.

    Attributes:
        users: int64[n], the number of each event's user, from 0 in their order. names: of users.
        items: int32[n], slots. liked: bool[n], whether the weight was above 0.
        tests: t of them. chosen: int64[m], which of them have lists.
        lists: by setting, int32[m, N]. wanted: int32[m], the items that were taken; −1: nobody
            knew of it.
    """

    users: NDArray[np.int64]
    names: list[str]
    items: NDArray[np.int32]
    liked: NDArray[np.bool_]
    tests: Outcomes
    chosen: NDArray[np.int64]
    lists: dict[str, NDArray[np.int32]]
    wanted: NDArray[np.int32]

    @property
    def by(self) -> NDArray[np.int64]:
        """The users of the tests with lists, int64[m]."""
        return self.tests.users[self.chosen]


def replay(
    learner: Learner,
    batch: EventBatch,
    make: Mapping[str, Make],
    plan: Plan,
    progress: Callable[[int], None] = lambda done: None,
) -> Replay:
    """Pass all events of a batch through. `progress` is called with the number of events so far."""
    rows, history, quality = MemoryRows(), MemoryRows(), Quality(1)
    served, mean = Served(learner, rows, history), np.zeros(2)
    numbers: dict[str, int] = {name: n for n, name in enumerate(dict.fromkeys(batch.users))}
    found = list[tuple[int, float, float]]()
    lists: dict[str, list[NDArray[np.int32]]] = {name: [] for name in make}
    chosen, wanted, now = list[int](), list[int](), plan.now_ms
    for n, one in enumerate(cut(batch, range(1, len(batch)))):
        sums, _ = quality.test(learner, one, rows, history, n, now, plan.after - n)
        if sums.get("served:tests"):
            if len(found) % plan.every == 0 and make:
                chosen.append(len(found))
                wanted += learner.catalogue.find(one.items).tolist()
                _serve(learner, one, rows, history, plan, make, lists)
            found.append((n, sums["served:recall@10"], sums["served:ndcg@10"]))
        if plan.freeze and n >= plan.after:
            served.serve(one, now)
        else:
            learner.learn(one, rows, history, n, now, mean, plan.after - n)
        learner.messages(now)  # which nobody reads: the replica has learned already
        if n % 100 == 0:
            progress(n)
    at, hits, gains = np.array(found, np.float64).reshape(-1, 3).T
    users = np.array([numbers[name] for name in batch.users], np.int64)
    order = at.astype(np.int64)
    return Replay(
        users,
        [*numbers],
        learner.catalogue.find(batch.items).astype(np.int32),
        np.asarray(batch.weights) > 0,
        Outcomes(order + 1, users[order], hits.copy(), gains.copy()),
        np.array(chosen, np.int64),
        {name: np.array(some, np.int32) for name, some in lists.items()},
        np.array(wanted, np.int32),
    )


def _serve(
    learner: Learner,
    one: EventBatch,
    rows: MemoryRows,
    history: MemoryRows,
    plan: Plan,
    make: Mapping[str, Make],
    lists: dict[str, list[NDArray[np.int32]]],
) -> None:
    """Make the lists of the user of an event, from one ranking."""
    models = learner.models
    found = learner.users.locate(one.users, rows, history, learner.catalogue)
    slots = np.fromiter(found.values(), np.int32, 1)
    [(source, _, moment)] = models.parts(slots, plan.now_ms, learner.settings.lists.model)
    told = models.made(source, moment, (0, 0))
    for name, some in make.items():
        lists[name].append(some(told, slots, int(one.ts[0])))
