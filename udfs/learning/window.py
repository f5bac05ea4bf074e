"""Accounts of the last minute, for what `stats` says of now.

In: accounts as they come. Out: their sums over the last seconds.
"""

from __future__ import annotations

from collections import deque

from udfs.accounts import Account


class Window:
    """Sums over the last minute, in steps of a second, for current rates and quantiles."""

    def __init__(self, seconds: int = 60) -> None:
        self._seconds = seconds
        self._steps: deque[tuple[int, Account]] = deque()

    def add(self, second: int, account: Account) -> None:
        """Add an account at a wall-clock second."""
        if not self._steps or self._steps[-1][0] != second:
            self._steps.append((second, Account()))
        self._steps[-1][1].add(account)
        while self._steps[0][0] <= second - self._seconds:
            self._steps.popleft()

    def total(self, second: int, seconds: int) -> Account:
        """The sum over the last `seconds` whole seconds before `second`."""
        total = Account()
        for at, account in self._steps:
            if second - seconds <= at < second:
                total.add(account)
        return total
