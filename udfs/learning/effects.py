"""What a step of a shard asks its operator to do.

In: nothing. Out: the effects that `user_step` and `item_step` yield. A step continues once
the operator has carried out the effect; it knows neither Flink nor any store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from udfs.accounts import Account
from udfs.events.batch import EventBatch
from udfs.lists.update import ListUpdates
from udfs.ranking.log import Ranking

END = 2**63 - 1
"""The event time, in ms, at the end of the input."""


class Emit(NamedTuple):
    """Send a message to the owner of an item shard."""

    item_shard: int
    message: bytes


class Write(NamedTuple):
    """Write lists to every store, before the state is returned to Flink."""

    updates: list[ListUpdates]


class Erase(NamedTuple):
    """Remove users from every store, before the state is returned to Flink."""

    users: Sequence[str]


class Part(NamedTuple):
    """Remove what is kept for long of users whose events were, for a while, a person's, too."""

    users: Sequence[str]


class Expire(NamedTuple):
    """Remove the lists of users who were silent for too long from stores in which no list expires
    by itself."""

    users: Sequence[str]


class Keep(NamedTuple):
    """Keep events that were learned, for as long as people want their history."""

    batch: EventBatch


class Answer(NamedTuple):
    """Write what somebody has asked for to Redis, where it is kept for a while."""

    key: str
    value: bytes
    expiry_s: int


class Show(NamedTuple):
    """Count items as shown, by tested list."""

    items: Mapping[str, Sequence[str]]


class Log(NamedTuple):
    """Write what the ranker ranked, to train models on."""

    rankings: Sequence[Ranking]


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


Effect = Emit | Write | Erase | Part | Expire | Keep | Answer | Show | Log | Wake | Count | Report
