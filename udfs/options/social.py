"""The options of what users get by whom they follow.

In: nothing; the defaults are here. Out: `Social`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Social(Struct, frozen=True, kw_only=True):
    """What those took whom a user follows, and items of followed providers and categories."""

    share: Annotated[
        float,
        Meta(
            description="Which share of the places of a user's list goes to what those took whom "
            "the user follows, at most; never the first place. 0.2 is every fifth place. 0 means "
            "none.",
            ge=0,
            le=0.5,
        ),
    ] = 0.2
    name_users: Annotated[
        bool,
        Meta(
            description="Whether lists say which followed user took an item. If not, they say so "
            "only of providers and categories."
        ),
    ] = True
