"""What is known of a user, in words: what a user may ask to see.

In: the row, the history, the record and the mark of one user. Out: a tree for JSON. Redis holds
what follows from these: lists and a factor, under keys that docs/privacy.md names.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.learning.forgotten import Mark
from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users
from udfs.state.item_records import Record, fields_of


class Person(NamedTuple):
    """Where to look.

    Attributes:
        slot: of `Users`; −1: nothing was learned of the user. record: what is said of the user.
        mark: None if the user was never forgotten.
    """

    user: str
    slot: int
    record: Record
    mark: Mark | None


def told(person: Person, users: Users, catalogue: Catalogue) -> dict[str, Any]:
    """All that is known; what is not known is left out."""
    found: dict[str, Any] = {"user": person.user, "personalise": True}
    if person.record:
        found["said"] = fields_of(person.record)
        found["said_at"] = {name: moment(ts) for name, (ts, _) in person.record.items()}
        found["personalise"] = bool(found["said"].pop("personalise", True))
    if (mark := person.mark) is not None:
        found["personalise"] = mark.personalise
        found["forgotten_at"] = moment(mark.deleted)
    if (slot := person.slot) >= 0:
        found["events"] = int(users.events[slot])
        found["last_event"] = moment(int(users.last[slot]))
        found["last_learned"] = moment(int(users.seen[slot]))
        found["history"] = _history(slot, users, catalogue)
        found["factor"] = [round(float(x), 6) for x in users.p[slot]]
        found["spread"] = round(float(users.spread[slot]), 6)
    return found


def _history(slot: int, users: Users, catalogue: Catalogue) -> list[dict[str, Any]]:
    """The items, the last first, and whether each was liked; of one that is not in the catalogue
    any more only the key is known."""
    found = []
    items, likes = users.standing(slot)
    for item, liked in zip(items[::-1].tolist(), likes[::-1].tolist(), strict=True):
        name = catalogue.ids[item] if item >= 0 else None
        known = {"key": f"{int(catalogue.keys[item]):016x}"} if name is None else {"item": name}
        found.append({**known, "liked": liked})
    return found


def moment(ms: float) -> str:
    """A time as ISO 8601, in whole milliseconds.

    >>> moment(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    return f"{np.datetime64(int(ms), 'ms')}Z"
