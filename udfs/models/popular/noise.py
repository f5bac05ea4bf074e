"""Laplace noise for counts of a day, drawn from a keyed hash: the same whenever it is drawn again.

In: a key, items, a day. Out: whole numbers, int64. See docs/decisions/noise.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from math import exp

import numpy as np
from numpy.typing import NDArray

DAY_MS = 86_400_000


def day_of(now_ms: int) -> int:
    """The day of a time of the wall clock, ms: days since 1970, UTC.

    >>> day_of(86_399_999), day_of(86_400_000)
    (0, 1)
    """
    return now_ms // DAY_MS


def scale(epsilon: float) -> float:
    """The scale b of the noise with which a user has the budget ε on a day: 1 / ε, because one
    user moves the counts of a day by 1 in all.

    >>> scale(0.5)
    2.0
    """
    return 1.0 / epsilon


def laplace(key: bytes, items: Sequence[str], day: int, b: float) -> NDArray[np.int64]:
    """The noise of each item on a day, int64[n]: discrete Laplace.

        P(x) = (1 − α) / (1 + α) · α^|x|,  α = e^(−1/b)

    The noise of whole counts is whole: a real number would tell in its last digits which count it
    was added to (Mironov 2012). It is the difference of two geometric numbers, each ⌊ln u / ln α⌋
    for a u of 64 bits in (0, 1] (Ghosh, Roughgarden, Sundararajan 2009).

    Args:
        key: secret, up to 64 bytes. b: the scale, above 0.
    """
    head = day.to_bytes(8, "little", signed=True)
    drawn = b"".join(
        blake2b(head + item.encode("utf-8", "surrogatepass"), digest_size=16, key=key).digest()
        for item in items
    )
    uniform = (np.frombuffer(drawn, "<u8").reshape(-1, 2).astype(np.float64) + 1.0) * 2.0**-64
    geometric = np.floor(-np.log(np.minimum(uniform, 1.0)) * b).astype(np.int64)
    found: NDArray[np.int64] = geometric[:, 0] - geometric[:, 1]
    return found


def variance(b: float) -> float:
    """The variance of the noise of one count: 2 α / (1 − α)².

    >>> round(variance(10.0), 1)
    199.8
    """
    alpha = exp(-1.0 / b)
    return 2.0 * alpha / (1.0 - alpha) ** 2
