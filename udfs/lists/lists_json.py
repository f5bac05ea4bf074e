"""The JSON of many lists at once.

In: ranked slots with scores and reasons, what users have consumed, who the lists belong to. Out:
each list in the form of `udfs.lists.contract`, as bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.direct import Direct
from udfs.lists import contract, json_kernels
from udfs.lists.json_kernels import Texts
from udfs.lists.keys import Kind
from udfs.memory.catalogue import Catalogue
from udfs.models.ranked import Lists
from udfs.options.sources import SOURCES

_json = msgspec.json.Encoder().encode
_NO_NUMBERS = np.zeros(0, np.int64)


class Owners(NamedTuple):
    """Who n lists belong to, and what else is not an item.

    Attributes:
        kind, names: the kind and the owners; for a shared list, one "".
        numbers: int64[n], the end of each list's id, for lists with an owner; None: the id is the
            time only.
        at_ms, source: when and by what all of them were made.
    """

    kind: Kind
    names: Sequence[str]
    numbers: NDArray[np.int64] | None
    at_ms: int
    source: str


class ListsJson:
    """The reusable buffers in which one learner's lists are written."""

    def __init__(self) -> None:
        self._out = np.zeros(1024, np.uint8)
        self._write = Direct(json_kernels.write_lists)
        why = [b',"why":{"model":"%s"' % model.encode() for model in SOURCES]
        at = np.cumsum([0, *map(len, why)]).astype(np.int32)
        because = np.frombuffer(b',"because":[', np.uint8)
        self._why = np.frombuffer(b"".join(why), np.uint8), at, because
        self._texts: Texts | None = None

    def write(
        self,
        owners: Owners,
        catalogue: Catalogue,
        lists: Lists,
        reasons: NDArray[np.int32] | None = None,
        consumed: NDArray[np.int32] | None = None,
    ) -> list[bytes]:
        """The JSON of each list.

        Args:
            lists: n of them, as slots of the catalogue; the first negative item ends a list.
            reasons: int32[n, N, R], the items that explain each item, −1: none.
            consumed: int32[n, K], popular items that the user of each list has consumed, −1 where
                there are fewer.
        """
        rows = len(lists.items)
        if reasons is None:
            reasons = np.empty((*lists.items.shape, 0), np.int32)
        if consumed is None:
            consumed = np.empty((rows, 0), np.int32)
        texts, ends = self._texts, np.empty(rows, np.int64)
        if texts is None or not (
            texts.text is catalogue.text and texts.text_at is catalogue.text_at
        ):
            texts = self._texts = Texts(
                catalogue.text, catalogue.text_at, catalogue.text_length, *self._why
            )
        given = json_kernels.Items(*lists, reasons, consumed)
        around = _around(owners)
        if needed := self._write(given, texts, around, self._out, ends, varying=given):
            self._out = np.zeros(2 * needed, np.uint8)
            self._write(given, texts, around, self._out, ends, varying=given)
        if rows == 1:
            return [self._out[: ends[0]].tobytes()]
        edges = ends.tolist()
        written = self._out[: edges[-1] if rows else 0].tobytes()
        return [written[a:b] for a, b in zip([0, *edges], edges, strict=False)]

    def forget(self) -> None:
        """Clear what is left of lists that were written."""
        self._out[:] = 0


def _around(owners: Owners) -> json_kernels.Around:
    kind, names, numbers = owners.kind, owners.names, owners.numbers
    numbered = bool(kind.owner) and numbers is not None
    head, after, rest = contract.fragments(kind, owners.at_ms, owners.source, numbered)
    text = b"%b%b%b%b" % (head, after, rest, _json(names) if kind.owner else b"")
    begin = len(head) + len(after)
    return json_kernels.Around(
        np.frombuffer(text, np.uint8),
        len(head),
        begin,
        begin + len(rest),
        _NO_NUMBERS if numbers is None or not numbered else numbers,
    )
