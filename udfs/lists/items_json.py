"""The JSON of the items of many lists at once.

In: ranked slots with scores and reasons. Out: `{"item", "score", "why"}` of each item, one string
of bytes for each list.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from udfs.lists import json_kernels
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.options.sources import SOURCES


class ItemsJson:
    """The reusable buffers in which one learner's lists are written."""

    def __init__(self) -> None:
        self._out = np.zeros(1024, np.uint8)
        why = [b',"why":{"model":"%s"' % model.encode() for model in SOURCES]
        self._why = np.frombuffer(b"".join(why), np.uint8)
        self._why_at = np.cumsum([0, *map(len, why)]).astype(np.int32)
        self._because = np.frombuffer(b',"because":[', np.uint8)

    def write(
        self, catalogue: Catalogue, lists: Lists, reasons: NDArray[np.int32] | None = None
    ) -> list[bytes]:
        """The JSON objects of the items of each list, without the brackets.

        Args:
            lists: n of them, as slots of the catalogue; the first negative item ends a list.
            reasons: int32[n, N, R], the items that explain each item, −1: none.
        """
        slots = lists.items
        if reasons is None:
            reasons = np.full((*slots.shape, 0), -1, np.int32)
        lengths = np.where(slots >= 0, catalogue.text_length[slots], 0)
        named = np.where(reasons >= 0, catalogue.text_length[reasons], 0)
        room = int(lengths.sum() + named.sum()) + (len(self._why) + 24) * slots.size
        if room > len(self._out):
            self._out = np.zeros(2 * room, np.uint8)
        ends = np.zeros(len(slots), np.int64)
        json_kernels.write_items(
            json_kernels.Items(slots, lists.scores, lists.models, reasons),
            json_kernels.Texts(
                catalogue.text,
                catalogue.text_at,
                catalogue.text_length,
                self._why,
                self._why_at,
                self._because,
            ),
            self._out,
            ends,
        )
        written = self._out[: ends[-1] if len(ends) else 0].tobytes()
        edges = [0, *ends.tolist()]
        return [written[a:b] for a, b in pairwise(edges)]
