"""The changes that an item shard publishes besides its items.

In: nothing. Out: `Changes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import NamedTuple

from udfs.feed.parameters import Parameters


class Changes(NamedTuple):
    """The changes that an item shard publishes besides its items; fields as in `FeedRows`."""

    counted: Sequence[str] = ()
    pairs: Sequence[bytes] = ()
    parameters: Parameters = MappingProxyType({})
