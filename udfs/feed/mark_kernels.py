"""The compiled loops over the marks of items: which are due, and by whom they were changed.

In: the columns of `udfs.feed.marks`. Out: slots; the columns changed in place. Like
`udfs.memory.history_kernels` they release the interpreter lock and have plain twins in the tests.
Names of sizes: `I` slots, `d` factors, `M` messages.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit

NOBODY, SEVERAL = -1, -2
"""Who changed a row since it was sent: the number of a user learner, or one of these."""


class Sent(NamedTuple):
    """When rows were sent and to whom; the columns of `marks.Sent` for items or for pairs.

    Attributes:
        by: int32[I], who has changed a row since it was last sent. besides: int32[I], the only
            user learner that did not get it then, `SEVERAL` if all did.
        at, whole_at: int64[I] ms, when it was last sent, and when to all.
        since: int64[I] ms, when it was first changed after that.
    """

    by: NDArray[np.int32]
    besides: NDArray[np.int32]
    at: NDArray[np.int64]
    whole_at: NDArray[np.int64]
    since: NDArray[np.int64]


class Turn(NamedTuple):
    """What is sent this time.

    Attributes:
        now: ms. late: ms, after which a change is sent however small it is. settle: ms, the most
            that a user learner's changes are under way. whole: ms, after which all get a row again.
    """

    now: int
    late: int
    settle: int
    whole: int


class Copied(NamedTuple):
    """Columns of items of which the last sent values are kept: float32[I, d] twice, float32[I],
    float64[I]."""

    q: NDArray[np.float32]
    y: NDArray[np.float32]
    bias: NDArray[np.float32]
    popularity: NDArray[np.float64]


@njit(cache=True, nogil=True)
def tag(slots, starts, origins, sent, turn):
    """Record who changed rows.

    A user learner that is given a row loses its own changes that are still on their way to the
    owner. So the first change of anyone who was given the row a moment ago counts as one that all
    must get.

    Args:
        slots: int32[…], negative: skipped. starts: int64[M + 1], of each message in `slots`.
        origins: int32[M], who sent it, negative: unknown. sent, turn: `Sent`, changed, and `Turn`.
    """
    by, besides, at, since = sent.by, sent.besides, sent.at, sent.since
    for m in range(origins.shape[0]):
        origin = np.int32(origins[m] if origins[m] >= 0 else SEVERAL)
        for k in range(starts[m], starts[m + 1]):
            j = slots[k]
            if j < 0 or by[j] == origin or by[j] == SEVERAL:
                continue
            if by[j] == NOBODY:
                since[j] = turn.now
                settled = besides[j] == origin or turn.now - at[j] > turn.settle
                by[j] = origin if settled else SEVERAL
            else:
                by[j] = SEVERAL


@njit(cache=True, nogil=True)
def hand_over(slots, sent, turn, to):
    """Record that rows (int32[n], distinct) are sent now, and find out to whom.

    Args:
        to: int32[n], set to the only one who does not need the row, or `SEVERAL`.
    """
    by, besides, at, whole_at = sent.by, sent.besides, sent.at, sent.whole_at
    for k in range(slots.shape[0]):
        j = slots[k]
        to[k] = by[j] if by[j] >= 0 and turn.now - whole_at[j] < turn.whole else SEVERAL
        by[j], besides[j], at[j] = NOBODY, to[k], turn.now
        if to[k] == SEVERAL:
            whole_at[j] = turn.now


@njit(cache=True, nogil=True)
def matter(slots, owned, held, since, turn, share, out):
    """Which changed items matter: whose factors have moved by a share of their length, y by one of
    that of q + y, whose bias or popularity has changed as much, or which have waited long enough.

    Args:
        slots: int32[n]. owned: `Copied`, the items. held: `Copied`, the items as they were last
            sent, 0 if never. since: int64[I] ms. turn: `Turn`. share: of the length.
        out: bool[n], set.
    """
    d = owned.q.shape[1]
    limit = np.float32(share * share)
    for k in range(slots.shape[0]):
        j = slots[k]
        moved, length = np.float32(0.0), np.float32(0.0)
        moved_y, length_y = np.float32(0.0), np.float32(0.0)
        for f in range(d):
            moved += (owned.q[j, f] - held.q[j, f]) ** 2
            length += owned.q[j, f] ** 2
            moved_y += (owned.y[j, f] - held.y[j, f]) ** 2
            length_y += (owned.q[j, f] + owned.y[j, f]) ** 2
        apart = abs(owned.bias[j] - held.bias[j])
        heat = abs(owned.popularity[j] - held.popularity[j])
        out[k] = (
            turn.now - since[j] >= turn.late
            or moved > limit * length
            or moved_y > limit * length_y
            or apart > share * max(abs(owned.bias[j]), np.float32(0.5))
            or heat > 2.0 * share * owned.popularity[j]
        )


@njit(cache=True, nogil=True)
def copy(slots, owned, held):
    """Keep the values of `slots` (int32[n]) as they are sent now; `Copied` both."""
    for k in range(slots.shape[0]):
        j = slots[k]
        for f in range(owned.q.shape[1]):
            held.q[j, f], held.y[j, f] = owned.q[j, f], owned.y[j, f]
        held.bias[j] = owned.bias[j]
        held.popularity[j] = owned.popularity[j]
