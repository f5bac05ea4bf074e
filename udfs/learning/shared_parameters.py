"""The parameters that all user learners share, as they are before anything was learned.

In: the options. Out: `Shared`, which the first item shard owns.
"""

from __future__ import annotations

from udfs.feed.parameters import Holder, Shared
from udfs.models.popular.mixture import Mixture
from udfs.models.popular.source import POPULAR
from udfs.models.settings import Settings
from udfs.ranking.ranker import RANKER, ranker_of
from udfs.ranking.steps.exposure import EXPOSURE, Multipliers, shares_of


def as_they_begin(options: Settings) -> Shared:
    """Those that have limits or do not begin at 0; the others come with their first change."""
    holders: dict[str, Holder] = {RANKER: ranker_of(options), POPULAR: Mixture()}
    if exposed := shares_of(options):
        holders[EXPOSURE] = Multipliers(len(exposed))
    return Shared(holders)
