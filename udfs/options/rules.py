"""The options of one rule about items, of which there may be any number.

In: nothing; the defaults are here. Out: `Rule`, an entry of `[[rules]]` in the configuration.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct


class Rule(Struct, frozen=True, kw_only=True):
    """What is done with the items for which a condition holds: one of exclude, boost, pin, most,
    least and exposure."""

    name: Annotated[
        str, Meta(description="What the rule is called in messages, such as no-alcohol.")
    ] = ""
    when: Annotated[
        str,
        Meta(
            description="The condition on an item's fields, in CEL, such as "
            'category == "toys" && price < 20. Empty means all items.'
        ),
    ] = ""
    exclude: Annotated[
        bool, Meta(description="Whether these items are in no list, of nobody and of no kind.")
    ] = False
    boost: Annotated[
        float,
        Meta(
            description="What the chance that a user takes such an item is multiplied by, for the "
            "order of lists: above 1 they move up, below 1 down.",
            gt=0,
            le=1000,
        ),
    ] = 1.0
    pin: Annotated[
        int,
        Meta(
            description="The place in each list at which one of these items stands, the best for "
            "the user; 1 is the first. 0 means none.",
            ge=0,
            le=1000,
        ),
    ] = 0
    most: Annotated[
        int,
        Meta(
            description="How many of these items a list has at most, or how many of each category "
            "or brand among them, see of. 0 means any number.",
            ge=0,
            le=1000,
        ),
    ] = 0
    of: Annotated[
        Literal["", "category", "brand", "provider"],
        Meta(
            description="Of what most counts: the items of each category (an item's first), or of "
            "each brand or provider, which are the same. Empty means all together."
        ),
    ] = ""
    least: Annotated[
        float,
        Meta(
            description="How many of these items a list has at least, as long as there are so many;"
            " below 1, which share of the list.",
            ge=0,
            le=1000,
        ),
    ] = 0.0
    exposure: Annotated[
        float,
        Meta(
            description="Which share of the exposure of all users' lists together these items get "
            "at least, where the first place counts most: a factor on their chance is learned. 0 "
            "means any.",
            ge=0,
            le=0.9,
        ),
    ] = 0.0
