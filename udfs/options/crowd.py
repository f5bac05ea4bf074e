"""The options against bots and crowds.

In: nothing; the defaults are here. Out: `Crowd`, a section of the configuration.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Crowd(Struct, frozen=True, kw_only=True):
    """Users who would teach the job what no customer wants."""

    guard: Annotated[
        bool,
        Meta(
            description="Whether users who act far faster, more broadly or more regularly than "
            "others, and new users who in great numbers take one item, are served but not learned "
            "from."
        ),
    ] = False
