"""Two orders of candidates in one list, to see which one's items a user clicks.

In: the same users' candidates in two orders. Out: one order, by team draft, and who put each item
where it stands (Radlinski, Kurup, Joachims: How does clickthrough data reflect retrieval quality?,
2008). In each round a coin says who chooses first; then each takes its best item that is not there
yet. Where both would take the same item next, it belongs to neither: it says nothing about them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.direct import Direct
from udfs.experiments.teams import FIRST, NEITHER, SECOND
from udfs.memory.history_kernels import among
from udfs.memory.users import Users
from udfs.models.model import Moment
from udfs.models.ranked import Served, Told
from udfs.ranking.ways import Way
from udfs.ranking.young import Part

Size = tuple[int, int]
"""R and K of `Told`."""
Parts = Callable[[NDArray[np.int32], int, str], list[Part]]
_COINS = 64  # bytes, a bit for each round; after 512 rounds they begin again


@njit(cache=True, nogil=True, _nrt=False)
def _next(order, at, taken, length):
    """The place, from `at` on, of the first item of an order that is not taken; its length if there
    is none."""
    while at < order.shape[0] and order[at] >= 0 and among(order[at], taken, 0, length):
        at += 1
    return at if at < order.shape[0] and order[at] >= 0 else order.shape[0]


@njit(cache=True, nogil=True, _nrt=False)
def draft(first, second, coins, items, source, teams):
    """Draft the items of each list.

    Args:
        first, second: int32[n, M], two orders, −1 where one has ended. coins: uint8[n, C].
        items, source, teams: int32[n, M], int64[n, M], int8[n, M], set: the items, −1 where the
            list has ended; at which place of `first`, or of `second` after it, each stands (0 of
            none); `FIRST`, `SECOND` or `NEITHER`.
    """
    most = first.shape[1]
    for r in range(first.shape[0]):
        a, b, k, rounds = first[r], second[r], 0, 0
        items[r, :] = -1
        source[r, :] = 0
        teams[r, :] = 0  # NEITHER
        i = j = 0
        while k < most:
            i, j = _next(a, i, items[r], k), _next(b, j, items[r], k)
            if i == most and j == most:
                break
            if i == most or j == most or a[i] == b[j]:
                items[r, k], source[r, k] = (b[j], most + j) if i == most else (a[i], i)
                k += 1
                continue
            bit = rounds % (8 * coins.shape[1])
            turn = (coins[r, bit >> 3] >> np.uint8(bit & 7)) & 1
            rounds += 1
            for one in (turn, 1 - turn):
                i, j = _next(a, i, items[r], k), _next(b, j, items[r], k)
                if k < most and one == 0 and i < most:
                    items[r, k], source[r, k], teams[r, k] = a[i], i, FIRST
                    k += 1
                elif k < most and one == 1 and j < most:
                    items[r, k], source[r, k], teams[r, k] = b[j], most + j, SECOND
                    k += 1


_draft = Direct(draft)


class Drafts:
    """Lists of users whose way has a rival, in one subtask.

    Args:
        made: makes lists of one source, before their steps. parts: as `Recommender.parts`.
    """

    def __init__(
        self, made: Callable[[str, Moment, Size], Told], parts: Parts, users: Users
    ) -> None:
        self._made, self._parts, self._users = made, parts, users

    def served(self, way: Way, name: str, moment: Moment, size: Size) -> Served:
        """The lists of users, made by the source `name` and by that of the rival."""
        drafted, teams = self.draft(way, name, moment, size)
        items = drafted.items.copy()  # the steps may change it in place
        served = way.steps.after(drafted, moment.slots, True)
        return served._replace(teams=teams_of(served.items, items, teams))

    def draft(
        self, way: Way, name: str, moment: Moment, size: Size
    ) -> tuple[Told, NDArray[np.int8]]:
        """The same re-ranked, before all other steps, and who put each item there."""
        rival = way.rival
        assert rival is not None
        # They are all known, or all young, and then both get the same.
        [(other, _, _)] = self._parts(moment.slots, moment.now_ms, rival.model)
        first = way.steps.rerank.put(self._made(name, moment, size), moment.slots)
        second = rival.steps.rerank.put(self._made(other, moment, size), moment.slots)
        slots = moment.slots.tolist()
        users = [self._users.names[slot] for slot in slots]
        numbers = self._users.events[moment.slots].tolist()
        return interleave(first, second, coins_of(users, numbers, way.experiment))


def coins_of(users: Sequence[str], numbers: Sequence[int], experiment: str) -> NDArray[np.uint8]:
    """The coins of lists, uint8[n, 64]: of the same user after the same number of events always the
    same ones, so that a list that is made again after a failure is the one that the user saw."""
    key = experiment.encode()
    drawn = [
        blake2b(f"{number}:{user}".encode(), digest_size=_COINS, key=key).digest()
        for user, number in zip(users, numbers, strict=True)
    ]
    return np.frombuffer(b"".join(drawn), np.uint8).reshape(len(drawn), _COINS)


def interleave(
    first: Told, second: Told, coins: NDArray[np.uint8]
) -> tuple[Told, NDArray[np.int8]]:
    """Lists of both, and int8[n, M] for each item who put it there.

    Args:
        first, second: the same users' lists, as long. coins: as of `coins_of`.

    Scores fall along the list: one that is higher than that of the item before is cut to it.
    """
    items = np.empty(first.items.shape, np.int32)
    source, teams = np.empty(items.shape, np.int64), np.empty(items.shape, np.int8)
    orders = np.ascontiguousarray(first.items), np.ascontiguousarray(second.items)
    _draft(*orders, np.ascontiguousarray(coins), items, source, teams)

    def chosen(ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[Any]:
        both = np.concatenate([ours, theirs], axis=1)
        at = source if both.ndim == 2 else source[:, :, None]
        return np.take_along_axis(both, at, 1)

    scores = np.minimum.accumulate(chosen(first.scores, second.scores), axis=1)
    models, reasons = chosen(first.models, second.models), chosen(first.reasons, second.reasons)
    gone = items < 0
    scores[gone], models[gone], reasons[gone] = -np.inf, -1, -1
    return Told(items, scores, models, reasons, first.consumed), teams


def teams_of(
    items: NDArray[np.int32], drafted: NDArray[np.int32], teams: NDArray[np.int8]
) -> NDArray[np.int8]:
    """Who put the items of lists there, int8[n, N], after steps have moved some and added others,
    which are of neither.

    Args:
        items: int32[n, N]. drafted, teams: int32[n, M], int8[n, M], as of `interleave`.

    >>> rows = np.array([[7, 8, -1]], np.int32), np.array([[1, 2, 0]], np.int8)
    >>> teams_of(np.array([[8, 5, -1]], np.int32), *rows).tolist()
    [[2, 0, 0]]
    """
    found = np.zeros(items.shape, np.int8)
    for row, own in enumerate(items):
        known = dict(zip(drafted[row].tolist(), teams[row].tolist(), strict=True))
        found[row] = [known.get(item, NEITHER) if item >= 0 else NEITHER for item in own.tolist()]
    return found
