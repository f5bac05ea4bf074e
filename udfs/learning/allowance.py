"""How many events the ranker may learn from, so many a second: a token bucket.

In: the time of each batch. Out: the most events of it that are learned from. The time is the
caller's, so that a run with given times gives the same result.
"""

from __future__ import annotations

HELD_S = 10.0
"""The most that is saved up, as so many seconds' worth."""
AT_ONCE_S = 0.08
"""The most that one batch gets of it, 8 events of 100 a second: the lists of its users wait."""


class Allowance:
    """A bucket of tokens, one for each event.

    Args:
        per_s: how many tokens are added each second.

    >>> allowance = Allowance(100)
    >>> allowance.most(0), allowance.take(1000), allowance.most(0)
    (8, None, 0)
    >>> allowance.most(19), allowance.most(20), allowance.most(10)
    (1, 2, 2)
    """

    def __init__(self, per_s: float) -> None:
        self._per_ms, self._room = per_s / 1000, per_s * HELD_S
        self._at_once = max(per_s * AT_ONCE_S, 1.0)
        self._left, self._at_ms = self._room, 0

    def most(self, now_ms: int) -> int:
        """How many events a batch at this time may take, whole ones; a time before the last counts
        as the last."""
        if now_ms > self._at_ms:
            added = (now_ms - self._at_ms) * self._per_ms
            self._left, self._at_ms = min(self._left + added, self._room), now_ms
        return int(min(self._left, self._at_once))

    def take(self, count: int) -> None:
        """Use tokens; below 0, time pays first."""
        self._left -= count
