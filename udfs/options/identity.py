"""The options of identity: several ids that are one person.

In: nothing; the defaults are here. Out: `Identity`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Identity(Struct, frozen=True, kw_only=True):
    """Ids of one person: a visitor who logs in, a phone and a laptop."""

    enabled: Annotated[
        bool,
        Meta(
            description="Whether lines of kind link and unlink say which ids are one person, whose "
            "lists come from the events of all of them.",
        ),
    ] = False
    keep: Annotated[
        int,
        Meta(
            description="How many of the last events of each id are remembered, so that histories "
            "can be merged and parted.",
            ge=1,
            le=100_000,
        ),
    ] = 1000
