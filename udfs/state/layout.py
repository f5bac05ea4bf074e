"""What must not change while a job keeps its state.

In: the configuration's numbers and the state of a shard. Out: a ServiceError if they differ.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from udfs.errors import ServiceError
from udfs.options.learning import Model
from udfs.options.runtime import Job
from udfs.state.handles import Cell


class Layout(msgspec.Struct, frozen=True, omit_defaults=True):
    """What must not change while a job keeps its state."""

    shards: int
    item_shards: int
    dimensions: int
    loss: str = "softmax"

    @classmethod
    def of(cls, job: Job, model: Model) -> Layout:
        """The layout that a configuration asks for."""
        return cls(job.shards, job.item_shards, model.dimensions, model.loss)

    def check(self, cell: Cell, operator: str) -> None:
        """Compare with the layout of the current shard's state, or store this one if there is none.

        Raises:
            ServiceError: the state was written with another layout.
        """
        stored = cell.value()
        if stored is None:
            cell.update(msgspec.json.encode(self))
            return
        before = {"loss": "softmax"} | msgspec.json.decode(stored, type=dict[str, int | str])
        if sentence := self.refusal(before, f"the state of {operator}"):
            raise ServiceError(sentence)

    def refusal(self, before: Mapping[str, int | str], state: str) -> str:
        """Why a job of this layout cannot go on from `state`, of layout `before`; "" if it can.

        >>> Layout(1, 1, 16).refusal({"dimensions": "32"}, "/savepoints/7")
        '/savepoints/7 was written with model.dimensions = 32, but this job has 16: set \
model.dimensions = 32, or start without the old state.'
        """
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if str(before.get(name, value)) != str(value):
                section = "model" if name in ("dimensions", "loss") else "job"
                return refusal(state, f"{section}.{name}", before[name], value)
        return ""


def refusal(state: str, option: str, before: object, now: object) -> str:
    """The message for a `state` that was written with another value of `option`."""
    return (
        f"{state} was written with {option} = {before}, but this job has {now}: set {option} = "
        f"{before}, or start without the old state."
    )
