"""What a step of a shard asks its operator to do.

In: nothing. Out: the effects that `user_step` and `item_step` yield. A step goes on when what it
has asked for is done; it knows neither Flink nor any store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from udfs.accounts import Account
from udfs.lists.update import ListUpdates

END = 2**63 - 1
"""Event time, ms: when the input has ended."""


class Tell(NamedTuple):
    """Send a message to the owner of an item shard."""

    item_shard: int
    message: bytes


class Write(NamedTuple):
    """Write lists to every store, before the state is handed back."""

    updates: list[ListUpdates]


class Show(NamedTuple):
    """Count items as shown, by tested list."""

    items: Mapping[str, Sequence[str]]


class Wake(NamedTuple):
    """Call the step for this shard at a time of the wall clock, ms; `END`: at the end of the
    input."""

    at_ms: int


class Count(NamedTuple):
    """Add to a counter of Flink's."""

    counter: str
    n: int


class Report(NamedTuple):
    """Hand on an account."""

    account: Account


Effect = Tell | Write | Show | Wake | Count | Report
