"""Compiles what the learners call, as a process of its own, into the cache that all processes read.

In: `Settings` as JSON on standard input; the argument `learning` or `ranking`, what to begin with.
Out: Numba's cache. Numba compiles under the interpreter lock, so two processes are two cores: each
begins with its half, and finds in the cache what the other has compiled by then.
"""

from __future__ import annotations

import sys

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import make_batch
from udfs.learning.guarded import Guarded
from udfs.learning.item_shard import ItemShard
from udfs.learning.learner import Learner
from udfs.learning.past import compile_past
from udfs.models.settings import Settings
from udfs.state.handles import MemoryRows


def main() -> None:
    """`python -m udfs.learning.precompile learning|ranking < settings.json`"""
    settings = msgspec.json.decode(sys.stdin.buffer.read(), type=Settings)
    if sys.argv[1:] == ["ranking"]:
        _lists(Learner(settings))
    else:
        _learning(Learner(settings))
        ItemShard.compile(settings)
        if settings.identity.enabled:
            compile_past(settings)
        if settings.crowd.guard:
            Guarded.compile(Learner(settings))
        _clusters(Learner(settings))
    Learner(settings).compile()
    ItemShard.compile(settings)


def _learning(trial: Learner) -> None:
    """Learn a batch, and tell the item learners."""
    ones = np.ones(2)
    batch = make_batch(["a", "a"], ["x", "y"], ones, ones, ones, [""] * 2, 0)
    trial.learn(batch, MemoryRows(), MemoryRows(), 0, 1)
    trial.messages(1)


def _lists(trial: Learner) -> None:
    """Train the ranker, and make lists."""
    users = _known(trial)
    items = trial.catalogue.slots(["x", "y"])
    trial.models.blend.train(trial.models.moment(users, 1), items)
    _ = [updates.json for updates in trial.user_lists(users, 1)]


def _clusters(trial: Learner) -> None:
    """Search a catalogue as if it were large."""
    users = _known(trial)
    trial.catalogue.slots(["x", "y", "z"])
    trial.search_by_cluster(users)


def _known(trial: Learner) -> NDArray[np.int32]:
    """Two users with an event each."""
    found = trial.users.locate("ab", MemoryRows(), MemoryRows(), trial.catalogue)
    users = np.array([*found.values()], np.int32)
    trial.users.events[users] = 1
    return users


if __name__ == "__main__":
    main()
