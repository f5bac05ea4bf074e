"""Checks whether the ranker can learn how likely places are looked at.

In: a `Config`. Out: nothing, or a ConfigError that says what to write.
"""

from __future__ import annotations

from flink_app.config.tree import Config
from udfs.errors import ConfigError


def check_attribution(config: Config) -> None:
    """Raise ConfigError if `ranker.position_bias` is on without what it needs.

    >>> from flink_app.config import load
    >>> on = ["ranker.position_bias=true", "quality.attribution_days=7"]
    >>> check_attribution(load(None, on, {}).config)
    >>> check_attribution(load(None, on[:1], {}).config)
    Traceback (most recent call last):
    udfs.errors.ConfigError: ranker.position_bias is true but quality.attribution_days is 0, so it \
is not known where clicked items stood: set quality.attribution_days = 7, or leave it out.
    """
    if not config.ranker.position_bias:
        return
    if not config.quality.attribution_days:
        raise ConfigError(
            "ranker.position_bias is true but quality.attribution_days is 0, so it is not known "
            "where clicked items stood: set quality.attribution_days = 7, or leave it out."
        )
    if not config.explore.share:
        raise ConfigError(
            "ranker.position_bias is true but explore.share is 0, and only the clicks on explored "
            "items tell how likely places are looked at: set explore.share = 0.05, or leave it out."
        )
    if config.lists.model != "ranker":
        raise ConfigError(
            f'ranker.position_bias is true but lists.model is "{config.lists.model}", which does '
            'not learn from clicks in lists: set lists.model = "ranker", or leave it out.'
        )
