"""The plot of the peers: speed, freshness and quality, a row for each.

In: the figures of `benchmarks.peers`. Out: a matplotlib `Figure`, or a file of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWN, _OTHER, _GREY = "#0072B2", "#E69F00", "#666666"  # of Okabe and Ito (2008)


def save(figures: dict[str, Any], path: Path) -> None:
    """Draw the figures into a file."""
    figure(figures).savefig(path, dpi=150)


def figure(figures: dict[str, Any]) -> Figure:
    """Three panels over the same rows: events/s, freshness from p50 to p99, Recall@10.

    Rows of peers that could not be measured stay, and are empty.
    """
    from matplotlib.figure import Figure

    rows = figures["peers"][::-1]
    found = Figure(figsize=(11.0, 1.4 + 0.42 * len(rows)), layout="constrained")
    speed, fresh, quality = found.subplots(1, 3, sharey=True)
    for place, row in enumerate(rows):
        colour = _OWN if row["name"].startswith("millirec") else _OTHER
        if fast := row.get("full_speed"):
            speed.barh(place, fast["events_per_s"], color=colour, height=0.6)
        if live := row.get("live"):
            ends = [live["p50_ms"], live["p99_ms"]]
            fresh.plot(ends, [place, place], color=colour, linewidth=3, solid_capstyle="butt")
            fresh.plot(ends[0], place, "o", color=colour)
            quality.barh(place, live["recall@10"], color=colour, height=0.6)
    for axes, title, label in (
        (speed, "at full speed", "events/s"),
        (fresh, "live: freshness", "ms to the list, p50 (dot) to p99"),
        (quality, "live: quality", "Recall@10"),
    ):
        axes.set_title(title)
        axes.set_xlabel(label)
        axes.grid(axis="x", alpha=0.3, linewidth=0.5)
        axes.spines[["top", "right"]].set_visible(False)
    speed.set_xscale("log")
    fresh.set_xscale("log")
    speed.set_yticks(range(len(rows)), [row["title"] for row in rows])
    if figures["popular_recall@10"] is not None:
        quality.axvline(figures["popular_recall@10"], color=_GREY, linestyle="--", linewidth=1)
        quality.text(
            figures["popular_recall@10"],
            len(rows) - 0.55,
            " popular",
            color=_GREY,
            fontsize="small",
        )
    return found
