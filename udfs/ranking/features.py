"""The table of the ranker's features: what it knows of a candidate.

In: one line for each feature, at the end. Out: `features()`, all of them in the order of the
parameters: first one for each source of evidence, then those registered, and last those of sources
that are not always there, so that the parameters of the others are stored at the same places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from udfs.models.content.source import FEW, Content
from udfs.models.factors.source import Factors
from udfs.models.model import Model, Moment, Shop
from udfs.models.sequence.source import sequence_of
from udfs.models.settings import Settings
from udfs.options import sources
from udfs.ranking.feature_kernels import (
    ALWAYS,
    BESIDES_0,
    OF_TAKEN,
    WITH_EVIDENCE,
    Decayed,
    Had,
    Product,
    Share,
    Taken,
)
from udfs.ranking.last_kernels import Last, Norm
from udfs.ranking.likeness_kernels import Likeness, New
from udfs.ranking.sequence_kernels import SequenceFit

HELD = 50
"""Among how many of a user's last items one counts as had before."""
ACTIVITY = "activity"
"""The name of what features count by once more, see `candidate_kernels.activity`: of the user, the
same for all candidates of a list."""


class Asking(NamedTuple):
    """What the view of a feature is made from: the shop, its sources by name, users at a moment."""

    shop: Shop
    sources: dict[str, Model]
    moment: Moment


class Feature(NamedTuple):
    """One feature.

    Attributes:
        name: of its own.
        prior: its weight before any event.
        source: for which of `SOURCES` it speaks, where it raises an item most.
        view: what its kernel reads, of the class by which the kernel is registered
            (`feature_kernels.fills` or `feature_kernels.prices`).
        lasting: whether a view, made for more users, may be used again for fewer until an array
            is replaced.
        says: of which items it says anything, see `feature_kernels.ALWAYS`.
    """

    name: str
    prior: float
    source: str
    view: Callable[[Asking], Any]
    lasting: bool = False
    says: int = ALWAYS


_registered: dict[str, Feature] = {}


def register(feature: Feature) -> None:
    """Add a feature, as the last. Parameters that were learned without it are not used any more.

    Raises:
        ValueError: there is one of that name, or no such source.
    """
    if feature.name in {*_registered, *(source.name for source in sources.evident())}:
        raise ValueError(f"There is a feature {feature.name!r}: give this one another name.")
    if feature.source not in sources.SOURCES:
        raise ValueError(f"{feature.name!r} speaks for {feature.source!r}: register that first.")
    _registered[feature.name] = feature


def _share(row: int, source: sources.Source) -> Feature:
    share = Share(row, np.float32(source.floor))
    return Feature(source.name, source.prior, source.name, lambda _: share, True, WITH_EVIDENCE)


def features(settings: Settings | None = None) -> tuple[Feature, ...]:
    """All features; those of optional sources only where the settings have these serve.

    >>> [(feature.name, feature.prior, feature.source) for feature in features()][:3]
    [('item-cf', 2.0, 'item-cf'), ('user-cf', 0.4, 'user-cf'), ('product', 0.5, 'mf')]
    """
    shares = (_share(row, source) for row, source in enumerate(sources.evident()))
    always, more = list[Feature](), list[Feature]()
    for feature in _registered.values():
        source = sources.SOURCES[feature.source]
        if not source.optional:
            always.append(feature)
        elif settings is not None and source.serves(settings):
            more.append(feature)
    return (*shares, *always, *more)


def names(settings: Settings | None = None) -> tuple[str, ...]:
    """What is known of a candidate, by name: the features, and last `ACTIVITY`.

    >>> names()[-3:]
    ('last-item', 'norm', 'activity')
    """
    return (*(feature.name for feature in features(settings)), ACTIVITY)


def most() -> int:
    """How many features there can be."""
    return len(sources.evident()) + len(_registered)


def product(asking: Asking) -> Product:
    """The product of factors."""
    mf, catalogue = asking.sources["mf"], asking.shop.catalogue
    assert isinstance(mf, Factors)
    return Product(catalogue.q, catalogue.bias, mf.vectors(asking.moment))


def taken(asking: Asking) -> Taken:
    """How many events an item has."""
    return Taken(asking.shop.catalogue.events)


def decayed(asking: Asking) -> Decayed:
    """How many it has had of late."""
    shop = asking.shop
    return Decayed(
        shop.catalogue.popularity,
        shop.catalogue.popularity_at,
        shop.clock,
        float(shop.settings.half_life_ms),
    )


def had(asking: Asking) -> Had:
    """Whether the user took an item before: of what may be in lists again."""
    users = asking.shop.users
    return Had(users.view, HELD if users.view.repeats else 0)


def last(asking: Asking) -> Last:
    """How like the factors of an item are to those of the user's last one."""
    mf, c = asking.sources["mf"], asking.shop.catalogue
    assert isinstance(mf, Factors)
    return Last(c.q, c.y, c.alive, asking.shop.users.view, mf.rule.places.shared)


def norm(asking: Asking) -> Norm:
    """How large the factors of an item are."""
    return Norm(asking.shop.catalogue.q)


def likeness(asking: Asking) -> Likeness:
    """How like an item is to what the user likes, by content."""
    content, events = _content(asking), asking.shop.catalogue.events
    alike = content.view(asking.moment)
    groups = alike.groups
    return Likeness(groups.vectors, groups.counts, alike.profiles, events, float(FEW))


def new(asking: Asking) -> New:
    """How few events an item has, of those that can be in a list before they have any."""
    groups = _content(asking).described.groups
    return New(groups.of, groups.counts, asking.shop.catalogue.events)


def sequence_fit(asking: Asking) -> SequenceFit:
    """How well an item fits what the user wants by a sequence model."""
    model = sequence_of(asking.sources)
    wanted = model.wanted(asking.moment)  # first: it looks for new items
    return SequenceFit(model.vocabulary.row, model.file.model.vectors, wanted)


def _content(asking: Asking) -> Content:
    content = asking.sources["content"]
    assert isinstance(content, Content)
    return content


register(Feature("product", 0.5, "mf", product, lasting=True, says=OF_TAKEN))
register(Feature("taken", 0.0, "popular", taken, lasting=True))
register(Feature("decayed", 0.0, "popular", decayed, lasting=True))
register(Feature("likeness", 1.0, "content", likeness, lasting=True, says=BESIDES_0))
register(Feature("new", 0.0, "content", new, lasting=True, says=BESIDES_0))
register(Feature("had", 0.0, "item-cf", had, lasting=True, says=BESIDES_0))
register(Feature("last-item", 0.0, "mf", last, lasting=True, says=OF_TAKEN))
register(Feature("norm", 0.0, "mf", norm, lasting=True, says=OF_TAKEN))
register(Feature("sequence", 0.5, "sequence", sequence_fit, says=BESIDES_0))
