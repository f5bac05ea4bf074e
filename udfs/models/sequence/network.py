"""The sequence model in an ONNX file: what it must have, and what it says of users' last items.

In: int64[n, L], a user's last items as rows of the model's vocabulary, oldest first, 0 before the
first. Out: float32[n, d], of which the product with an item's vector is the item's score.

The file has an input `items`, int64[any, L]; outputs `vector`, float32[any, d], and `item_vectors`,
float32[V, d], which does not depend on the input; and metadata `items`, the ids of rows 1 to V − 1
as a JSON array. Row 0 is padding.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.events.batch import item_key
from udfs.models.own.network import Opened, finite, listed, opened

OPTION = "sequence.model"
ITEMS, VECTOR, ITEM_VECTORS = "items", "vector", "item_vectors"
AT_ONCE = 256
"""Lists of one call at most."""

_ids = msgspec.json.Decoder(list[str | int]).decode


class SequenceNetwork:
    """See the module.

    Attributes:
        length: L. vectors: float32[V, d], that of row 0 all 0.
        keys, rows: uint64[V − 1], int32[V − 1]: the `item_key` of each item, ascending, and its
            row.

    Raises:
        ConfigError: the file has not what it must have.
    """

    def __init__(self, path: Path) -> None:
        self._file = file = opened(path, OPTION)
        self.length = _length(file)
        ids = _vocabulary(file)
        trial = np.zeros((2, self.length), np.int64)
        vectors = file.tried(ITEM_VECTORS, ITEMS, trial)
        if vectors.ndim != 2 or len(vectors) != len(ids) + 1 or not np.isfinite(vectors).all():
            raise file.refusal(
                f"has item_vectors of shape {list(vectors.shape)} for {len(ids):,} ids: there must "
                "be one more row than ids, as row 0 is padding, and all numbers must be finite"
            )
        self.vectors: NDArray[np.float32] = np.ascontiguousarray(vectors, np.float32)
        self.vectors[0] = 0
        keys = np.fromiter(map(item_key, ids), np.uint64, len(ids))
        order = np.argsort(keys)
        self.keys, self.rows = keys[order], (order + 1).astype(np.int32)
        found, d = file.tried(VECTOR, ITEMS, trial), self.vectors.shape[1]
        if found.shape != (2, d):
            raise file.refusal(
                f"gives a vector of shape {list(found.shape)} for two users, and items have {d} "
                f"numbers: it must be [2, {d}]"
            )

    def run(self, items: NDArray[np.int64]) -> NDArray[np.float32]:
        """The vectors of n users, float32[n, d].

        Args:
            items: int64[n, L], see the module.

        Raises:
            ModelFailure: ONNX Runtime has failed, or gave numbers that are not finite.
        """
        d, parts = self.vectors.shape[1], []
        for begin in range(0, len(items), AT_ONCE):
            some = items[begin : begin + AT_ONCE]
            parts.append(finite(self._file.run(VECTOR, ITEMS, some), (len(some), d)))
        return np.concatenate(parts) if parts else np.zeros((0, d), np.float32)


def _length(file: Opened) -> int:
    """L, the second size of the input; the names and types are checked, too."""
    given = file.inputs.get(ITEMS)
    if len(file.inputs) != 1 or given is None or given.type != "tensor(int64)":
        raise file.refusal(
            f"has the inputs {listed(file.inputs)}: it must have one, items, of int64[any, L]"
        )
    if len(given.shape) != 2 or given.shape[1] < 1:
        raise file.refusal(
            f"has the input {given}: its second size must be a number, how many of the last items "
            "are looked at, and its first of any size"
        )
    for name in (VECTOR, ITEM_VECTORS):
        made = file.outputs.get(name)
        if made is None or made.type != "tensor(float)":
            raise file.refusal(
                f"has the outputs {listed(file.outputs)}: it must have vector and item_vectors, "
                "both of float"
            )
    return given.shape[1]


def _vocabulary(file: Opened) -> list[str]:
    """The ids of rows 1, 2, …"""
    text = file.told.get(ITEMS)
    if text is None:
        raise file.refusal(
            "has no metadata items: set it by onnx.helper.set_model_props to a JSON array of the "
            "items' ids, in the order of rows 1, 2, … of item_vectors"
        )
    try:
        ids = [str(one) for one in _ids(text)]
    except msgspec.DecodeError as error:
        raise file.refusal(
            f"has metadata items that is no JSON array of ids ({error}): write json.dumps(ids)"
        ) from error
    if not ids or len(set(ids)) < len(ids):
        raise file.refusal(
            f"has metadata items with {len(ids):,} ids, {len(set(ids)):,} of them different: each "
            "item must have one row"
        )
    return ids
