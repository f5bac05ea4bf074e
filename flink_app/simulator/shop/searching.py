"""Searches of simulated users: some sessions begin with words for what the user then looks at.

In: the actions of sessions and their moments, the tastes of their users. Out: actions of kind
SEARCH, whose `items` are numbers of queries (`wording.query`), just before each session's first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.actions import Actions
from flink_app.simulator.shop.lines import SEARCH
from flink_app.simulator.shop.names import CATEGORIES
from flink_app.simulator.shop.wording import Wording

_AHEAD = 0.25  # steps from a search to the first view


def search(
    rng: np.random.Generator,
    wording: Wording,
    started: tuple[Actions, NDArray[np.float64]],
    tastes: NDArray[np.float32],
    share: float,
) -> tuple[Actions, NDArray[np.float64]]:
    """The searches of a block of sessions and their moments.

    Args:
        started: the actions of complete sessions, their views in order, and the moments of each.
        tastes: (users, FACTORS) float32 of all users. share: of the sessions, 0 to 1.
    """
    actions, moments = started
    _, first = np.unique(actions.sessions, return_index=True)
    first = first[rng.random(len(first)) < share]
    users = actions.users[first]
    wanted = actions.items[first] % len(CATEGORIES)
    queries = wording.queries(rng, wanted, tastes[users])
    kinds = np.full(len(first), SEARCH)
    return Actions(users, queries, kinds, actions.sessions[first]), moments[first] - _AHEAD
