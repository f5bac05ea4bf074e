"""The lists of models that a team brings, which are tested beside those that users get.

In: the settings. Out: the names of these lists in the quality.
"""

from __future__ import annotations

from typing import Any

from udfs.options.sources import SOURCES

OWN_RANKER, BUILT_IN_RANKER = "own-ranker", "built-in-ranker"
"""The lists of the ranker in a file and of the built-in one, where the other one's are served."""


def beside(settings: Any) -> tuple[str, ...]:
    """The lists that are tested because of `udfs.models.settings.Settings` that name models: each
    sequence model's own, and those of the ranker that does not serve.

    >>> from udfs.models.settings import Settings
    >>> beside(Settings())
    ()
    """
    found = [name for name, one in SOURCES.items() if one.optional and one.built(settings)]
    if settings.ranker.model:
        found.append(OWN_RANKER if settings.ranker.shadow else BUILT_IN_RANKER)
    return tuple(found)


def every_beside() -> tuple[str, ...]:
    """All lists that there can be of such models."""
    return (*(s.name for s in SOURCES.values() if s.optional), OWN_RANKER, BUILT_IN_RANKER)
