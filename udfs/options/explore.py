"""The options of exploration: how much of a list new items get, to become known.

In: nothing; the defaults are here. Out: `Explore`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Explore(Struct, frozen=True, kw_only=True):
    """New items in places of lists, so that it becomes known who takes them."""

    share: Annotated[
        float,
        Meta(
            description="Which share of the places of users' lists goes to new items of which the "
            "shop has told what they are, at most; never the first place. 0.05 is one place of "
            "20. 0 means none.",
            ge=0,
            le=0.5,
        ),
    ] = 0.05
    events: Annotated[
        int,
        Meta(
            description="From how many events on an item is not new any more.",
            ge=1,
            le=20,
        ),
    ] = 20
