"""The options of one experiment, of which there may be several.

In: nothing; the defaults are here. Out: `Experiment`, an entry of `[[experiments]]` in the
configuration.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Name = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A name that becomes part of field names: small letters, digits, - and _."""
GOALS = ("clicks", "clicks_per_view", "conversions", "value")


class Variant(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What some users of an experiment get.

    Attributes:
        name: in `stats` and on the page.
        weight: how many of the experiment's users are in it, against the other variants.
        set: options that differ from those of the job, such as {"rerank.diversity": 0.5}.
    """

    name: Name
    weight: Annotated[float, Meta(gt=0, le=1000)] = 1.0
    set: dict[str, Any] = {}


class Experiment(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Users whose lists are made in different ways, to find out which way is better.

    Attributes:
        name: of which it depends who is in it: another name draws again.
        variants: two or more; the others are compared with the first.
        share: which share of all users is in it. It may grow: who is in it stays in the same
            variant.
        goal: by which outcome of users it is decided.
        interleave: every user of the experiment gets the items of both variants in one list, and it
            is told whose are clicked, instead of users being in either.
    """

    name: Name
    variants: Annotated[list[Variant], Meta(min_length=2, max_length=8)]
    share: Annotated[float, Meta(gt=0, le=1)] = 1.0
    goal: Literal["clicks", "clicks_per_view", "conversions", "value"] = "clicks_per_view"
    interleave: bool = False
