"""What the kernels of the factors take: the arrays that belong together, as named tuples.

In: the columns of a `Catalogue` and of `Users`. Out: views of them, the arrays of this moment.
Names of sizes: `U` users in the cache, `I` catalogue slots, `d` factors, `L` items of the window,
`n` events, `t` touched items.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.memory.catalogue import Catalogue
from udfs.memory.users import Users


class UserFactors(NamedTuple):
    """The factors of users, changed by what learns.

    Attributes:
        p: float32[U, d]. spread: float32[U], A of p; where ratings are learned by squared error,
            the user's bias instead.
    """

    p: Any
    spread: Any


class ItemFactors(NamedTuple):
    """The factors of items, changed by what learns.

    Attributes:
        q, y: float32[I, d] twice. bias: float32[I]. alive: bool[I].
        spread: float32[I, 3], A of q, y and b; where ratings are learned by squared error, the
            third column is how many ratings an item has.
    """

    q: Any
    y: Any
    bias: Any
    spread: Any
    alive: Any


class Places(NamedTuple):
    """What the last L items of a user's history are multiplied by, newest first.

    Attributes:
        weights: float32[L, d], c, shared by all users. squares: float32[L, d], the sums of its
            squared gradients. Both are changed by what learns.
        scale: float32[L + 1], what the sum over n items is multiplied by, 0 for none.
        shared: float32, 1: an item is q + y there; 0: y alone.
    """

    weights: Any
    squares: Any
    scale: Any
    shared: Any


class Rule(NamedTuple):
    """How far an event moves factors.

    Attributes:
        rate, regularisation: float32, η and λ. places: `Places`.
        again: whether lists may have what a user has consumed: then an event on such an item is
            learned from a window that has it too.
    """

    rate: Any
    regularisation: Any
    places: Any
    again: bool


class Draws(NamedTuple):
    """Where negatives come from.

    Attributes:
        negatives: m, how many are drawn. size: how many catalogue slots are known before the batch;
            a slot beyond them is known as of its first event.
        random: uint64[1], the generator's state at the first event; each further event begins
            `EVENT_STRIDE` later, so that its draws do not depend on how events are batched.
        eaten: int64[I], changed: numbers of earlier events, or 0; memory that no batch has to
            clear. event: the number of the first event, above those of all before.
    """

    negatives: int
    size: int
    random: Any
    eaten: Any
    event: int


class Ratings(NamedTuple):
    """What events say in numbers, and how well that was predicted.

    Attributes:
        values: float32[n], those of an event without a rating are not finite.
        mean: float64[2], how many ratings there were and their mean, changed.
        first: the first event whose error counts.
        error: float64[2], how many errors and the sum of their squares, added to.
    """

    values: Any
    mean: Any
    first: int
    error: Any


class Touched(NamedTuple):
    """What a call has changed of items.

    Attributes:
        stamp: int64[I], `batch` where an item was touched by this call.
        slots, before: int32[t], float32[t, 2d + 4], set: the touched items in order with their q,
            b, spread and y before the call; t = min(I, n·(1 + m + L)) is enough.
    """

    stamp: Any
    batch: int
    slots: Any
    before: Any


def user_factors(users: Users) -> UserFactors:
    """The columns of `users`."""
    return UserFactors(users.p, users.spread)


def item_factors(catalogue: Catalogue) -> ItemFactors:
    """The columns of `catalogue`."""
    c = catalogue
    return ItemFactors(c.q, c.y, c.bias, c.spread, c.alive)


def touched(catalogue: Catalogue, batch: int, room: int) -> Touched:
    """Room for `room` items that a batch may touch; its number is above those of all before."""
    before = np.empty((room, 2 * catalogue.dimensions + 4), np.float32)
    return Touched(catalogue.stamp, batch, np.empty(room, np.int32), before)
