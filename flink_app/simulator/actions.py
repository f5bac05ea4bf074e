"""The actions of simulated users as parallel arrays, and as lines of JSON.

In: arrays made by `browse`. Out: events, each a JSON object in millirec's own format, as bytes
without a newline: `{"user":"u17","item":"i204","type":"view","ts":…,"id":"e3","session":"s1"}`.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.wording import query

KINDS = ("view", "cart", "purchase", "search")
"""The event types, the first three in the order of the funnel; `Actions.kinds` holds positions in
it."""
SEARCH = KINDS.index("search")


class Actions(msgspec.Struct, frozen=True):
    """n actions as parallel arrays, all (n,) int64.

    users, items: numbers in the shop; of a search, the number of its query (`wording.query`).
    kinds: 0 view, 1 cart, 2 purchase, 3 search. sessions: numbers from 0.
    """

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    kinds: NDArray[np.int64]
    sessions: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.users)

    def take(self, rows: NDArray[np.int64] | slice) -> Actions:
        """The actions of the rows given, in that order."""
        return Actions(self.users[rows], self.items[rows], self.kinds[rows], self.sessions[rows])


def joined(first: Actions, second: Actions) -> Actions:
    """The actions of the first, then those of the second."""
    return Actions(
        np.concatenate([first.users, second.users]),
        np.concatenate([first.items, second.items]),
        np.concatenate([first.kinds, second.kinds]),
        np.concatenate([first.sessions, second.sessions]),
    )


def encode_event(user: str, item: str, kind: str, ts: int, event: str, session: str) -> bytes:
    """One event as a line of JSON without its newline.

    kind: one of KINDS. ts: milliseconds since 1970. event: the event's own id. No argument may
    contain a character that JSON escapes; the shop's ids never do.

    >>> encode_event("u1", "i2", "view", 1704067200000, "e0", "s0")
    b'{"user":"u1","item":"i2","type":"view","ts":1704067200000,"id":"e0","session":"s0"}'
    """
    return (
        f'{{"user":"{user}","item":"{item}","type":"{kind}","ts":{ts},'
        f'"id":"{event}","session":"{session}"}}'
    ).encode()


def encode_search(user: str, words: str, ts: int, event: str, session: str) -> bytes:
    """One search as a line of JSON without its newline; the arguments are those of `encode_event`.

    >>> encode_search("u1", "red kettle", 1704067200000, "e0", "s0")[:52]
    b'{"user":"u1","type":"search","query":"red kettle","t'
    """
    return (
        f'{{"user":"{user}","type":"search","query":"{words}","ts":{ts},'
        f'"id":"{event}","session":"{session}"}}'
    ).encode()


def encode(actions: Actions, times: Iterable[int], first: int, run: str) -> list[bytes]:
    """The actions as lines of JSON without newlines.

    times: n milliseconds since 1970. first: the number of the first action, in the ids "e0", "e1",
    …. run: a prefix of event and session ids that makes them unique to a run ("" if two runs may
    have the same ids). Returns n lines in the order of the actions.
    """
    rows = zip(
        actions.users.tolist(),
        actions.items.tolist(),
        actions.kinds.tolist(),
        actions.sessions.tolist(),
        times,
        strict=True,
    )
    return [
        encode_event(f"u{user}", f"i{item}", KINDS[kind], ts, f"{run}e{number}", f"{run}s{session}")
        if kind != SEARCH
        else encode_search(f"u{user}", query(item), ts, f"{run}e{number}", f"{run}s{session}")
        for number, (user, item, kind, session, ts) in enumerate(rows, first)
    ]
