"""A data set whose right answer is known: even users take even items, odd users odd ones.

Each user misses one item of the own colour, which no other item may come before.
"""

from __future__ import annotations

import numpy as np

from flink_app.evaluate.baselines import Baseline, Shape

USERS, ITEMS = 20, 16
ROUNDS = 3
SHAPE = Shape(USERS, ITEMS, USERS * ITEMS * ROUNDS)


def missing(user: int) -> int:
    """The item of the user's colour that the user has not taken."""
    return 2 * (user // 2 % (ITEMS // 2)) + user % 2


def pairs(rounds: int = ROUNDS) -> list[tuple[int, int]]:
    """Every pair of one colour but the missing ones, in a random order, `rounds` times."""
    found = [
        (user, item)
        for user in range(USERS)
        for item in range(user % 2, ITEMS, 2)
        if item != missing(user)
    ]
    random = np.random.default_rng(7)
    return [found[n] for _ in range(rounds) for n in random.permutation(len(found)).tolist()]


def solved(baseline: Baseline) -> float:
    """The share of users whose best item of those not taken is the missing one."""
    taken = set(pairs(1))
    right = 0
    for user in range(USERS):
        scores = baseline.scores(user)
        free = [item for item in range(ITEMS) if (user, item) not in taken]
        right += max(free, key=lambda item: float(scores[item])) == missing(user)
    return right / USERS
