"""How simulated users react to a list that they are shown, and to the items they view.

In: the affinities of the items of a list, or of items viewed, and a seeded generator. Out: event
types by position. The probabilities are those of `truth`; every other user sends dislikes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator import truth


def sends_dislikes(users: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each user, (n,) int64 numbers, ever sends a dislike: every other one does."""
    out: NDArray[np.bool_] = users % 2 == 0
    return out


def answer(
    rng: np.random.Generator, affinity: NDArray[np.float32], dislikes: bool
) -> list[tuple[int, str]]:
    """A user's reaction to a list: items that are looked at and not clicked are impressions.

    The list is read from its top as in `truth.first_click`; the clicked item may then go to the
    cart and be bought, and users who send dislikes may dislike an item that they did not click.

    affinity: (n,) float32, of the items in their order. dislikes: whether the user sends dislikes.
    Returns (position, type) in order of time: impression, dislike, click, cart or purchase.

    >>> answer(np.random.default_rng(0), np.array([-1.0, 1.1], np.float32), dislikes=False)
    [(0, 'impression'), (1, 'click')]
    """
    draws = rng.random((5, len(affinity)))
    chances = truth.click_probability(affinity)
    clicked = truth.first_click(chances, draws[:2])
    events: list[tuple[int, str]] = []
    disliked = draws[2] < truth.dislike_probability(affinity)
    for position in range(truth.looked_at(clicked, draws)):
        events.append((position, "impression"))
        if dislikes and disliked[position]:
            events.append((position, "dislike"))
    if clicked is not None:
        events.append((clicked, "click"))
        if draws[3, clicked] < truth.cart_probability(affinity[clicked]):
            events.append((clicked, "cart"))
            if draws[4, clicked] < truth.purchase_probability(affinity[clicked]):
                events.append((clicked, "purchase"))
    return events


def disliked_views(
    rng: np.random.Generator, users: NDArray[np.int64], affinity: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Which of n viewed items are then disliked: users (n,) int64, affinity (n,) float32."""
    drawn = rng.random(len(users)) < truth.dislike_probability(affinity)
    out: NDArray[np.bool_] = drawn & sends_dislikes(users)
    return out
