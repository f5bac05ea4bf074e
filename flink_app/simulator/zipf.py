"""The benchmark's workload: events whose users and items are drawn independently by Zipf's law.

In: numbers of events, users and items. Out: chunks of JSON lines as bytes. There is nothing to
learn from them: they measure the job's speed, not the quality of its lists; `Shop` is for that.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import zipf_weights

_CHUNK = 20_000
_START_MS = 1_704_067_200_000
_KINDS = ("view", "cart", "purchase")
_SHARES = (0.80, 0.15, 0.05)


def zipf_events(
    events: int,
    users: int,
    items: int,
    exponent: float = 1.0,
    seed: int = 1,
    hot_user: float = 0.0,
    hot_item: float = 0.0,
) -> Iterator[bytes]:
    """Benchmark events, one per millisecond from 1 January 2024, as chunks of JSON lines.

    P(user of rank r) ∝ 1 / (r + 1)^exponent, r from 0 to users − 1 (truncated Zipf); items
    likewise and independently. "u0" and "i0" are the most frequent, and additionally get the
    shares `hot_user` and `hot_item` (0 to 1) of all events. Types: 80 % view, 15 % cart, 5 %
    purchase. Ids are "e0", "e1", …; there are no sessions.

    events: at least 0. users, items: at least 1. exponent: at least 0. Yields bytes of up to
    20,000 lines, each ending in a newline; the same arguments yield the same bytes.

    >>> b"".join(zipf_events(1, users=1, items=1))
    b'{"user":"u0","item":"i0","type":"view","ts":1704067200000,"id":"e0"}\\n'
    """
    rng = np.random.default_rng(seed)
    user_sums = np.cumsum(zipf_weights(np.arange(users), exponent))
    item_sums = np.cumsum(zipf_weights(np.arange(items), exponent))
    kind_sums = np.cumsum(_SHARES)
    for first in range(0, events, _CHUNK):
        count = min(_CHUNK, events - first)
        rows = zip(
            _draw(rng, user_sums, count, hot_user).tolist(),
            _draw(rng, item_sums, count, hot_item).tolist(),
            _draw(rng, kind_sums, count).tolist(),
            strict=True,
        )
        yield "".join(
            f'{{"user":"u{user}","item":"i{item}","type":"{_KINDS[kind]}",'
            f'"ts":{_START_MS + number},"id":"e{number}"}}\n'
            for number, (user, item, kind) in enumerate(rows, first)
        ).encode()


def _draw(
    rng: np.random.Generator, sums: NDArray[np.float64], count: int, first: float = 0.0
) -> NDArray[np.int64]:
    """`count` positions in the running sums (k,) of weights: (count,) int64, 0 to k − 1; about a
    share of `first` of them is 0, regardless of the weights."""
    draws = rng.random(count) * sums[-1]
    # rounding may lift a draw onto the last sum itself
    places = np.searchsorted(sums, draws, side="right")
    positions: NDArray[np.int64] = np.minimum(places, len(sums) - 1)
    if first:
        positions[rng.random(count) < first] = 0
    return positions
