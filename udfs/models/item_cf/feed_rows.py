"""Rows of pairs in the item feed: smaller than in state, and read all at once.

In: `PairRows`, packed by `short_rows`. Out: their arrays, checked. This module needs no kernels:
`millirec serve` reads the feed without Numba.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError

MOST = 65_535.0
"""The share of a row's largest value: a whole number below 2^16."""

PART = np.dtype(
    [("key", "<u8"), ("clock", "<i8"), ("weight", "<f4"), ("largest", "<f4"), ("length", "<u2")]
)


class PairRows(msgspec.Struct, frozen=True, array_like=True):
    """r rows for the item feed, smaller than in state and less exact: a count is right within
    1/65,535 of its row's largest.

    Attributes:
        heads: for each row its item by `events.item_key`, clock and weight as in `Row`, its largest
            count and how many neighbours it has: records of 26 bytes.
        keys: uint64[u], all neighbours.
        numbers: uint16[k], or uint32[k] if u is larger: positions of neighbours in `keys`.
        shares: uint16[k], their counts as a share of the largest of the row.
    """

    heads: bytes = b""
    keys: bytes = b""
    numbers: bytes = b""
    shares: bytes = b""

    @property
    def count(self) -> int:
        """How many rows these are."""
        return len(self.heads) // PART.itemsize


class ReadRows(NamedTuple):
    """`PairRows` in arrays: uint64[r], int64[r], float64[r], int64[r + 1] where the neighbours of
    each row stand in int64[k], positions in uint64[u], and float32[k], counts."""

    own: NDArray[np.uint64]
    clocks: NDArray[np.int64]
    weights: NDArray[np.float64]
    starts: NDArray[np.int64]
    numbers: NDArray[np.int64]
    values: NDArray[np.float32]
    keys: NDArray[np.uint64]


def read_short(rows: PairRows) -> ReadRows:
    """The rows that `shorten` packed; non-finite and negative numbers read as 0.

    Raises:
        ServiceError: they are damaged.
    """
    k = len(rows.shares) // 2
    wide = len(rows.numbers) == 4 * k and k > 0
    sizes = len(rows.heads) % PART.itemsize, len(rows.keys) % 8, len(rows.shares) % 2
    if any(sizes) or len(rows.numbers) != (4 if wide else 2) * k:
        raise ServiceError("the rows of pairs have lengths that do not fit")
    heads, keys = np.frombuffer(rows.heads, PART), np.frombuffer(rows.keys, "<u8")
    numbers = np.frombuffer(rows.numbers, "<u4" if wide else "<u2").astype(np.int64)
    lengths = heads["length"].astype(np.int64)
    if lengths.sum() != k or numbers.max(initial=-1) >= len(keys):
        raise ServiceError("the rows of pairs name neighbours that are not there")
    starts = np.concatenate([[0], np.cumsum(lengths)])
    largest = np.maximum(np.nan_to_num(heads["largest"], posinf=0.0), 0)
    values = np.frombuffer(rows.shares, "<u2") * np.repeat(largest / MOST, lengths)
    weights = np.maximum(np.nan_to_num(heads["weight"].astype(np.float64), posinf=0.0), 0)
    return ReadRows(
        heads["key"].astype(np.uint64),
        heads["clock"].astype(np.int64),
        weights,
        starts,
        numbers,
        values.astype(np.float32),
        keys,
    )
