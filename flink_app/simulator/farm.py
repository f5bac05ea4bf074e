"""A click farm: many new accounts that all take one item of a shop, and little else.

In: the events of honest users, as lines. Out: the same, with those of the farm in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from flink_app.simulator.actions import encode_event


class Farm(msgspec.Struct, frozen=True, kw_only=True):
    """A farm's order.

    Attributes:
        item: what it pushes. accounts: how many, ids "w0" and up.
        views: events of each account: one on the item, the others, as a disguise, on items as
            often as honest users take them.
        start, end: when accounts come, as shares of the time of the honest events.
        pause_ms: between an account's events.
    """

    item: str
    accounts: int = 500
    views: int = 3
    start: float = 0.4
    end: float = 0.6
    pause_ms: int = 20_000
    seed: int = 1


class _Event(msgspec.Struct):
    item: str
    ts: int


def with_farm(lines: Sequence[bytes], farm: Farm) -> list[bytes]:
    """`lines`, in order of time, with those of the farm in between.

    >>> from flink_app.simulator.actions import encode_event
    >>> honest = [encode_event("u0", "i1", "view", ts, "", "") for ts in (0, 100)]
    >>> found = with_farm(honest, Farm(item="i9", accounts=3, views=1))
    >>> [line[9:11] for line in found], found[1][13:24]
    ([b'u0', b'w0', b'w1', b'w2', b'u0'], b'"item":"i9"')
    """
    random = np.random.default_rng(farm.seed)
    decode = msgspec.json.Decoder(_Event).decode
    honest = [decode(line) for line in lines]
    times = np.array([event.ts for event in honest])
    begin, length = times[0], times[-1] - times[0]
    starts = np.sort(begin + length * random.uniform(farm.start, farm.end, farm.accounts))
    made = []
    for account, start in enumerate(starts.astype(int).tolist()):
        drawn = random.integers(0, len(honest), farm.views - 1).tolist()
        items = [farm.item, *(honest[k].item for k in drawn)]
        for k, place in enumerate(random.permutation(farm.views).tolist()):
            ts, event = start + k * farm.pause_ms, f"w{account}-{k}"
            made.append((ts, encode_event(f"w{account}", items[place], "view", ts, event, "")))
    every = [*zip(times.tolist(), lines, strict=True), *made]
    return [line for _, line in sorted(every, key=lambda one: one[0])]
