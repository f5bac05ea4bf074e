"""What a user shard does with lines about experiments: keep them, and make lists by them.

In: what such lines say. Out: state of the shard; the ways in which its lists are made, and what is
counted. All shards hear the same; until they have, each goes by what itself has heard, so that its
lists, what is counted and its state are as of the same line after a failure.
"""

from __future__ import annotations

from udfs.events.experiments import unpack_words
from udfs.experiments.words import merged
from udfs.learning.experiments import Experiments
from udfs.learning.learner import Learner
from udfs.learning.user_shard import UserShard
from udfs.models.running import running
from udfs.state.handles import Cell
from udfs.state.started import pack_started, unpack_started


class ExperimentStep:
    """The experiments of one subtask's shards.

    Args:
        cell: what the current shard has heard. counted: counts what its users do.
    """

    def __init__(self, cell: Cell, learner: Learner, counted: Experiments) -> None:
        self._cell, self._learner, self._counted = cell, learner, counted

    def load(self, shard: UserShard) -> None:
        """Take what a shard had heard before."""
        shard.words = unpack_started(self._cell.value())
        self._look(shard)

    def enter(self, shard: UserShard) -> None:
        """Make and count the lists that follow as this shard does."""
        models = self._learner.models
        if models.ways.serve(shard.experiments):
            models.forget_popular()
        self._counted.serve(shard.experiments)

    def hear(self, shard: UserShard, data: bytes) -> None:
        """Take what lines say."""
        words = merged(shard.words, unpack_words(data))
        if words != shard.words:
            shard.words = words
            self._cell.update(pack_started(words))
            self._look(shard)
            self.enter(shard)

    def _look(self, shard: UserShard) -> None:
        shard.experiments = running(self._learner.settings, shard.words).experiments
