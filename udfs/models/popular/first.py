"""What users take first, when nothing is known of them: counts of bounded size, for all users.

In: the first two items of each user who has stayed; counts of other learners. Out: the chance of
each item to be what a stranger takes. Items share buckets by a hash of their ids, within which
popularity divides, so that the counts take as much memory whatever the catalogue's size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BUCKETS = 4096
"""Items of a bucket share its counts, in proportion to their popularity."""
HALF_LIFE_MS = 28 * 86_400_000.0
"""As for popularity at four weeks; a week and none found less (docs/decisions/segments.md)."""
SHRINK = 10.0
"""First items at which they weigh as much as popularity does."""
_BEGIN_MS = 1_577_836_800_000.0  # 2020: what is counted then counts 1
_FARTHEST = 1000.0  # half-lives from then: from 1943 to 2096


def bucket(keys: NDArray[np.uint64]) -> NDArray[np.intp]:
    """The bucket of items by `events.item_key`, int[n]."""
    return (keys % np.uint64(BUCKETS)).astype(np.intp)


def weight(at_ms: float) -> float:
    """What an event of this time counts (forward decay: Cormode et al. 2009): 2^((t − 2020) / h).

    So sums of whatever order, of whatever learners, are the same, and no row is ever multiplied.
    """
    halves = (float(at_ms) - _BEGIN_MS) / HALF_LIFE_MS
    return float(2.0 ** min(max(halves, -_FARTHEST), _FARTHEST))


class Taken:
    """How often items of each bucket were taken, which all user learners share: what this learner
    has counted, and what others have told."""

    def __init__(self) -> None:
        self._sums = np.zeros(BUCKETS)  # as of 2020
        self._added: NDArray[np.float64] | None = None

    def add(self, place: int, value: float) -> None:
        """Count in bucket `place`, by the `weight` of the time."""
        if self._added is None:
            self._added = np.zeros(BUCKETS)
        self._added[place] += value
        self._sums[place] += value

    def added(self) -> NDArray[np.float64] | None:
        """What was added since the last call, as of 2020, float64[BUCKETS]; None: nothing."""
        found, self._added = self._added, None
        return found

    def put(self, sums: NDArray[np.float64]) -> None:
        """Set the sums of all learners, as of 2020 (float64[BUCKETS]), in which what `added` has
        not told yet is missing; those of another length change nothing."""
        if len(sums) == BUCKETS:
            self._sums = np.nan_to_num(sums, posinf=0.0, neginf=0.0).clip(min=0.0)
            if self._added is not None:
                self._sums += self._added

    def now(self, now_ms: float) -> NDArray[np.float64]:
        """The decayed counts, float64[BUCKETS], in events of this moment."""
        return self._sums / weight(now_ms)


class First(Taken):
    """What users took first."""

    def count(self, keys: NDArray[np.uint64], at_ms: float) -> None:
        """Count first items by their keys, uint64[n], at ms since 1970."""
        for place in bucket(keys).tolist():
            self.add(place, weight(at_ms))

    def chances(
        self, shares: NDArray[np.float32], keys: NDArray[np.uint64], now_ms: float
    ) -> NDArray[np.float64]:
        """The chance of each item to be a stranger's first, float64[I], sum 1; 0 if all shares are.

            f_j = p_j / p_B (c_B + κ p_B) / Σ (c_A + κ p_A),  p_j = s_j / Σ s_k

        p_B: popularity of the item's bucket, c_B: the bucket's count as of now, κ: `SHRINK`; A: the
        buckets that hold items with any popularity. This is the mean of a Dirichlet posterior
        around popularity.

        Args:
            shares: float32[I], s, popularity; 0: not to be listed. keys: uint64[I].
        """
        p, places = shares.astype(np.float64), bucket(keys)
        of_bucket = np.bincount(places, p, BUCKETS)
        total, there = of_bucket.sum(), of_bucket > 0
        if not total:
            return p
        more = np.zeros(BUCKETS)
        np.divide(self.now(now_ms), of_bucket, out=more, where=there)
        p *= more[places] + SHRINK / total
        p /= p.sum()
        return p
