"""What a step of a shard asks its operator to do.

In: nothing. Out: the effects that `user_step` and `item_step` yield. A step continues once
the operator has carried out the effect; it knows neither Flink nor any store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from udfs.accounts import Account
from udfs.lists.update import ListUpdates

END = 2**63 - 1
"""The event time, in ms, at the end of the input."""


class Emit(NamedTuple):
    """Send a message to the owner of an item shard."""

    item_shard: int
    message: bytes


class Write(NamedTuple):
    """Write lists to every store, before the state is returned to Flink."""

    updates: list[ListUpdates]


class Show(NamedTuple):
    """Count items as shown, by tested list."""

    items: Mapping[str, Sequence[str]]


class Wake(NamedTuple):
    """Call the step for this shard at a wall-clock time, in ms; `END` means the end of the
    input."""

    at_ms: int


class Count(NamedTuple):
    """Add to a Flink counter."""

    counter: str
    n: int


class Report(NamedTuple):
    """Pass on an account."""

    account: Account


Effect = Emit | Write | Show | Wake | Count | Report
