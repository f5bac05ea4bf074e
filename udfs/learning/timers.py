"""What a shard has to do later, by name.

In: names and times. Out: the names that are due when a Flink timer fires, since such a timer
carries only its time. Names are not in the state: when a restored timer fires, its shard has just
been loaded, so everything that it does at intervals is due.
"""

from __future__ import annotations


class Timers:
    """The next time of each name; planning a name again moves it.

    >>> timers = Timers()
    >>> timers.plan("sweep", 2_000), timers.plan("refill", 1_000)
    (2000, 1000)
    >>> timers.take(1_500), timers.take(1_500), timers.take(2_000)
    ({'refill'}, set(), {'sweep'})
    """

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._at

    def plan(self, name: str, at_ms: int) -> int:
        """Plan `name` for a time, ms; returns it, for Flink's timer."""
        self._at[name] = at_ms
        return at_ms

    def take(self, now_ms: int) -> set[str]:
        """The names that are due at a time; they are no longer planned afterwards."""
        due = {name for name, at in self._at.items() if at <= now_ms}
        for name in due:
            del self._at[name]
        return due


def next_tick(now: int, interval_ms: int) -> int:
    """The next multiple of the interval: Flink keeps one timer per time, however often it is set.

    >>> next_tick(1_000, 400), next_tick(1_200, 400)
    (1200, 1600)
    """
    return (now // interval_ms + 1) * interval_ms
