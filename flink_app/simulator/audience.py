"""What simulated users do with a list that they are shown, and with what they come across.

In: the affinities of the items of a list, or of items viewed, and a seeded generator. Out: event
types by position. The laws are those of `truth`; users who dislike are every other one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator import truth


def speaks_out(users: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each user, (n,) int64 numbers, ever says what they dislike: every other one does."""
    out: NDArray[np.bool_] = users % 2 == 0
    return out


def answer(
    rng: np.random.Generator, affinity: NDArray[np.float32], dislikes: bool
) -> list[tuple[int, str]]:
    """What a user does with a list: what has been looked at and not clicked is an impression.

    The list is read from its top as in `truth.first_click`; the item clicked may then go to the
    cart and be bought, and an item looked at in vain be disliked by who speaks out.

    affinity: (n,) float32, of the items in their order. dislikes: whether the user speaks out.
    Returns (position, type) in order of time: impression, dislike, click, cart or purchase.

    >>> answer(np.random.default_rng(0), np.array([-1.0, 1.1], np.float32), dislikes=False)
    [(0, 'impression'), (1, 'click')]
    """
    n = len(affinity)
    draws = rng.random((5, n))
    chances = truth.click_probability(affinity)
    clicked = truth.first_click(chances, draws[:2])
    tired = np.flatnonzero(draws[1] >= truth.PATIENCE)
    looked = clicked if clicked is not None else int(tired[0]) + 1 if len(tired) else n
    done: list[tuple[int, str]] = []
    refused = draws[2] < truth.dislike_probability(affinity)
    for position in range(looked):
        done.append((position, "impression"))
        if dislikes and refused[position]:
            done.append((position, "dislike"))
    if clicked is not None:
        done.append((clicked, "click"))
        if draws[3, clicked] < truth.cart_probability(affinity[clicked]):
            done.append((clicked, "cart"))
            if draws[4, clicked] < truth.purchase_probability(affinity[clicked]):
                done.append((clicked, "purchase"))
    return done


def refusals(
    rng: np.random.Generator, users: NDArray[np.int64], affinity: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Which of n items viewed are then disliked: users (n,) int64, affinity (n,) float32."""
    drawn = rng.random(len(users)) < truth.dislike_probability(affinity)
    out: NDArray[np.bool_] = drawn & speaks_out(users)
    return out
