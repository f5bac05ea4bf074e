"""The options of re-ranking: what a list gives up of relevance for something else, and how much.

In: nothing; the defaults are here. Out: `Rerank`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

STEPS = ("debias", "repeats", "exposure", "calibration", "diversity")
"""The steps, in the usual order: those that weigh each item by itself, then those that look at what
is in the list already."""


class Rerank(Struct, frozen=True, kw_only=True):
    """What is done with users' lists after the ranker; steps whose option is 0 are off."""

    diversity: Annotated[
        float,
        Meta(
            description="How much a list avoids items that are alike (greedy DPP over their content"
            " vectors): an item of which all but a share s is in the list already counts s to the "
            "power of this.",
            ge=0,
            le=10,
        ),
    ] = 0.0
    calibration: Annotated[
        float,
        Meta(
            description="How much a list mirrors the mix of categories that the user has taken: "
            "the weight of the divergence from it, against the logarithm of an item's chance.",
            ge=0,
            le=100,
        ),
    ] = 0.0
    debias: Annotated[
        float,
        Meta(
            description="How much popular items give way: an item with a tenth of the events of the"
            " most popular candidate counts 10 to the power of this as much, and none more than "
            "100 to the power of this.",
            ge=0,
            le=1,
        ),
    ] = 0.0
    repeats: Annotated[
        int,
        Meta(
            description="From how many impressions without an event of the user on an item sinks in"
            " the user's lists: each more is a twentieth of its chance. 0 means that it stays.",
            ge=0,
            le=100,
        ),
    ] = 0
    repeats_half_life_s: Annotated[
        float,
        Meta(
            description="After how long an impression counts half as much, in seconds.",
            gt=0,
            le=2_592_000,
        ),
    ] = 86_400.0
    order: Annotated[
        list[str],
        Meta(
            description="The order of the steps: each changes what the ones before it have made of "
            "an item's chance. A step that is not named is off."
        ),
    ] = field(default_factory=lambda: [*STEPS])
