"""What the simulated video platform says about its videos, which agrees with its truth.

In: the numbers of videos and their words. Out: the fields of an item, as docs/items.md names them;
`series`, `episode` and `duration_s` are attributes of the platform's own.
"""

from __future__ import annotations

from typing import Any

from flink_app.simulator.item_lines import DAY_MS, long_ago
from flink_app.simulator.video.library import Library
from flink_app.simulator.video.names import GENRES


def fields(library: Library, number: int, published: int) -> dict[str, Any]:
    """All that the platform says about video `number`; published: milliseconds since 1970."""
    wording, episode = library.wording, int(library.episodes[number])
    genre, tags = GENRES[int(library.genres[number])], wording.tags(number)
    kind = "series" if episode else "film"
    _, first, second, third = tags
    told: dict[str, Any] = {
        "title": wording.title(number, episode),
        "text": f"{genre.capitalize()} {kind}: {first}, {second} and {third}.",
        "category": genre,
        "tags": tags,
        "duration_s": int(library.seconds[number]),
        "published": published,
    }
    if episode:
        told |= {"series": wording.name(number), "episode": episode}
    return told


def opened(library: Library, number: int, now_ms: int) -> int:
    """When a video that was there from the beginning was published, milliseconds since 1970: a
    month to a year before, the episodes of a series day after day."""
    first = number
    while library.before[first] >= 0:
        first = int(library.before[first])
    return long_ago(first, now_ms) + max(0, int(library.episodes[number]) - 1) * DAY_MS
