"""Tells lines of a source of items alone from those of the events: by a mark before them.

In: the positions of lines, as the micro-batches have them. Out: which lines are about items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

MARK = "\x1e"
"""ASCII's record separator, before the position of a line about an item. Positions of events
are paths, or a partition and an offset; neither begins with it."""


def with_marked(
    kinds: Mapping[str, Sequence[int]], positions: Sequence[str], item: str
) -> dict[str, Sequence[int]]:
    """The places of lines by kind, those with a mark under `item`, whatever is on them.

    >>> with_marked({"interaction": range(3)}, ["p", "\\x1eitems:0:7", "p"], "item")
    {'interaction': [0, 2], 'item': [1]}
    """
    marked = {place for place, position in enumerate(positions) if position.startswith(MARK)}
    if not marked:
        return dict(kinds)
    found: dict[str, Sequence[int]] = {}
    for name, places in kinds.items():
        if own := [place for place in places if place not in marked]:
            found[name] = own
    found[item] = sorted({*found.get(item, ()), *marked})
    return found
