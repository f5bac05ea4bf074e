"""Limits how many events of one user are accepted in a minute.

In: the users of each batch and the clock. Out: the rows beyond the limit, as problems of
`udfs.events.decode`. The counts are those of one subtask of `parse` since its start; where a topic
is partitioned by user, these are all of the user's events.
"""

from __future__ import annotations

from collections.abc import Sequence

from udfs.events.raw_columns import Problem

_MINUTE_MS = 60_000


class RateLimit:
    """Counts by user in the current minute of the clock; `per_minute` is how many are accepted."""

    def __init__(self, per_minute: int) -> None:
        self._most = per_minute
        self._minute = 0
        self._counts: dict[str, int] = {}

    def mark(self, users: Sequence[str], now_ms: int, problems: dict[int, Problem]) -> None:
        """Add a problem for each usable row of `users` that is beyond the limit."""
        minute = now_ms // _MINUTE_MS
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        counts = self._counts
        for row, user in enumerate(users):
            if row in problems:
                continue
            counts[user] = count = counts.get(user, 0) + 1
            if count > self._most:
                detail = f"the user has more than {self._most} events this minute"
                problems[row] = ("too_many", f"{detail} (events.user_per_minute)")
