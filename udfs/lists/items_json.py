"""The JSON of the items of many lists at once.

In: ranked slots with scores and reasons, what users have consumed. Out: `{"item", "score", "why"}`
of each item, one string of bytes for each list, and ids.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.lists import json_kernels
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.options.sources import SOURCES


class ItemsJson:
    """The reusable buffers in which one learner's lists are written."""

    def __init__(self) -> None:
        self._out = np.zeros(1024, np.uint8)
        self._write = Direct(json_kernels.write_items)
        why = [b',"why":{"model":"%s"' % model.encode() for model in SOURCES]
        self._why = np.frombuffer(b"".join(why), np.uint8)
        self._why_at = np.cumsum([0, *map(len, why)]).astype(np.int32)
        self._because = np.frombuffer(b',"because":[', np.uint8)

    def write(
        self,
        catalogue: Catalogue,
        lists: Lists,
        reasons: NDArray[np.int32] | None = None,
        consumed: NDArray[np.int32] | None = None,
    ) -> tuple[list[bytes], list[bytes]]:
        """The JSON objects of the items of each list, and the ids that its user has consumed, both
        without the brackets.

        Args:
            lists: n of them, as slots of the catalogue; the first negative item ends a list.
            reasons: int32[n, N, R], the items that explain each item, −1: none.
            consumed: int32[n, K], −1 where there are fewer.
        """
        rows = len(lists.items)
        if reasons is None:
            reasons = np.empty((*lists.items.shape, 0), np.int32)
        if consumed is None:
            consumed = np.empty((rows, 0), np.int32)
        ends = np.empty((rows, 2), np.int64)
        texts = json_kernels.Texts(
            catalogue.text,
            catalogue.text_at,
            catalogue.text_length,
            self._why,
            self._why_at,
            self._because,
        )
        given = json_kernels.Items(*lists, reasons, consumed)
        if needed := self._write(given, texts, self._out, ends, varying=given):
            self._out = np.zeros(2 * needed, np.uint8)
            self._write(given, texts, self._out, ends, varying=given)
        written = self._out[: ends[-1, 1] if rows else 0].tobytes()
        edges = [0, *ends.ravel().tolist()]
        parts = [written[a:b] for a, b in pairwise(edges)]
        return parts[::2], parts[1::2]
