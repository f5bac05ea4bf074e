"""How users of the simulated network react to a list that they are shown.

In: the affinities of the posts of a list, and a seeded generator. Out: reactions by position.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator import truth
from flink_app.simulator.social.interest import (
    comment_probability,
    like_probability,
    share_probability,
)
from flink_app.simulator.world import Reaction


def answer(rng: np.random.Generator, affinity: NDArray[np.float32]) -> list[Reaction]:
    """A user's reaction to a list: posts that are looked at and not opened are impressions.

    The list is read from its top as in `truth.first_click`; the post that is opened is a view, and
    may then be liked, commented on and shared.

    affinity: (n,) float32, of the posts in their order. Returns reactions in order of time.

    >>> [one[:2] for one in answer(np.random.default_rng(0), np.array([-1.0, 1.1], np.float32))]
    [(0, 'impression'), (1, 'view')]
    """
    draws = rng.random((5, len(affinity)))
    opened = truth.first_click(truth.click_probability(affinity), draws[:2])
    looked = range(truth.looked_at(opened, draws))
    found = [Reaction(position, "impression") for position in looked]
    if opened is not None:
        found.append(Reaction(opened, "view"))
        chances = like_probability, comment_probability, share_probability
        for k, (kind, chance) in enumerate(zip(("like", "comment", "share"), chances, strict=True)):
            if draws[2 + k, opened] < chance(affinity[opened]):
                found.append(Reaction(opened, kind))
    return found
