"""The actions of the video platform's users as lines of JSON.

In: `Watches`, made by `watching`. Out: events without a newline:
`{"user":"u17","item":"i204","type":"watch","value":0.93,"ts":…,"id":"e3","session":"s1"}`.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions

KINDS = ("watch", "rating", "favourite")
"""The event types; `Watches.kinds` holds positions in it."""
WATCH, RATING, FAVOURITE = range(3)


class Watches(Actions, frozen=True):
    """Actions with their values: (n,) float64, the watched fraction, the stars, 0 for a
    favourite."""

    values: NDArray[np.float64]


def encode_event(
    user: str, item: str, kind: str, value: float, ts: int, event: str, session: str
) -> bytes:
    """One event as a line of JSON without its newline, as `actions.encode_event` has it.

    value: of a watch and a rating; a favourite has none.

    >>> encode_event("u1", "i2", "watch", 0.5, 7, "e0", "s0")
    b'{"user":"u1","item":"i2","type":"watch","value":0.5,"ts":7,"id":"e0","session":"s0"}'
    """
    told = "" if kind == KINDS[FAVOURITE] else f'"value":{value:g},'
    return (
        f'{{"user":"{user}","item":"{item}","type":"{kind}",{told}"ts":{ts},'
        f'"id":"{event}","session":"{session}"}}'
    ).encode()


def encode(actions: Watches, times: Iterable[int], first: int, run: str) -> list[bytes]:
    """The actions as lines of JSON without newlines, see `World.lines`."""
    rows = zip(
        actions.users.tolist(),
        actions.items.tolist(),
        actions.kinds.tolist(),
        actions.sessions.tolist(),
        actions.values.tolist(),
        times,
        strict=True,
    )
    return [
        encode_event(
            f"u{user}", f"i{item}", KINDS[kind], value, ts, f"{run}e{number}", f"{run}s{session}"
        )
        for number, (user, item, kind, session, value, ts) in enumerate(rows, first)
    ]
