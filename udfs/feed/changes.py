"""The changes that an item shard publishes at once.

In: nothing. Out: `Changes`.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.feed.mark_kernels import SEVERAL
from udfs.feed.parameters import Parameters
from udfs.models.item_cf.feed_rows import PairRows


class Changes(NamedTuple):
    """Absolute values for replicas.

    Attributes:
        slots: int32[n], items of the shard's catalogue. pairs: rows of pairs.
        parameters: shared ones. besides: the only user learner that does not need them, because
            nobody else has changed them; `SEVERAL` if all do.
    """

    slots: NDArray[np.int32] = np.zeros(0, np.int32)
    pairs: PairRows = PairRows()
    parameters: Parameters = MappingProxyType({})
    besides: int = SEVERAL
