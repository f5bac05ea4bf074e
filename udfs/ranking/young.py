"""Which users get lists of their own, and the lists of those of whom little is known.

In: users at a moment, how many events each has. Out: parts of them, with the source of their lists;
lists of what they may begin with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from udfs.models.item_cf.neighbours import Neighbours
from udfs.models.model import Moment
from udfs.models.popular.source import Popular
from udfs.models.ranked import Lists, of_one
from udfs.models.segments.source import Segments
from udfs.options.sources import position
from udfs.ranking.fill_kernels import fill_up

Part = tuple[str, NDArray[np.intp], Moment]
"""A source, which of the users, and these."""


def parts(
    moment: Moment, events: NDArray[np.int64], least: int, own: str, first: str
) -> list[Part]:
    """The users of a moment by the source of their lists; parts without users are left out.

    Args:
        events: int64[n], of each user. least: events from which on `own` makes a user's list.
        first: the source for all others.
    """
    n = len(events)
    if n and events.min() >= least:
        return [(own, np.arange(n), moment)]
    young, found = events < least, []
    for source, chosen in ((own, ~young), (first, young)):
        if len(at := np.flatnonzero(chosen)):
            found.append((source, at, moment if len(at) == n else moment.part(at)))
    return found


def begin(segments: Segments, popular: Popular, near: Neighbours | None, moment: Moment) -> Lists:
    """What the users of a moment may begin with, filled by what is popular.

    Args:
        near: what goes together; None: that is not counted.
    """
    found = segments.lists(moment, popular.look(moment.now_ms), near)
    lists = of_one(found, "segments")
    if (lists.items[:, -1] < 0).any():
        fill_up(*lists, popular.candidates(moment)[0], position("popular"))
    return lists
