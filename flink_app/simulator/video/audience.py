"""How simulated viewers react to a list that they are shown.

In: the affinities of the videos of a list, and a seeded generator. Out: event types by position,
with their values. The probabilities are those of the truth of the platform.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.truth import click_probability, first_click, looked_at
from flink_app.simulator.video.truth import favourites, fractions, stars
from flink_app.simulator.world import Reaction


def answer(
    random: np.random.Generator, affinity: NDArray[np.float32], own: NDArray[np.float32]
) -> list[Reaction]:
    """A viewer's reaction to a list, which is read from its top as in `truth.first_click`: videos
    that are looked at and not begun are impressions; one that is begun may be rated and become a
    favourite.

    affinity: (n,) float32, of the videos in their order, with what `Viewers.lift` adds. own: (n,)
    float32, without it, for the stars. Returns reactions in order of time.

    >>> rng, affinity = np.random.default_rng(0), np.array([-1.0, 1.1], np.float32)
    >>> [(one.position, one.kind) for one in answer(rng, affinity, affinity)]
    [(0, 'impression'), (1, 'watch')]
    """
    draws = random.random((2, len(affinity)))
    begun = first_click(click_probability(affinity), draws)
    looked = range(looked_at(begun, draws))
    events = [Reaction(position, "impression") for position in looked]
    if begun is not None:
        at = slice(begun, begun + 1)
        watched = fractions(random, affinity[at])
        events.append(Reaction(begun, "watch", float(watched[0])))
        if given := int(stars(random, own[at])[0]):
            events.append(Reaction(begun, "rating", float(given)))
        if favourites(random, own[at], watched)[0]:
            events.append(Reaction(begun, "favourite"))
    return events
