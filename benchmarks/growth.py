"""`python -m benchmarks.growth`: how the cost of an event and of a list grows with each parameter.

In: options. Out: a table, `benchmarks/out/growth.json` and `growth.png`: CPU microseconds of the
learner (all models, no Flink) per event and per complete list at each point, the fitted exponent,
and the theoretical order.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import tastes
from benchmarks.bare import OUT, Bare
from benchmarks.load import DIMENSIONS, ITEMS, LENGTH, USERS

_EVENTS, _LISTS, _CONSUMED = 8_000, 1_000, 32_768


class Axis(NamedTuple):
    """A parameter that is varied.

    Attributes:
        values: from small to large. event, list: the theoretical orders, as text.
        measure: a value → (µs per event, µs per list).
    """

    name: str
    values: tuple[int, ...]
    event: str
    list: str
    measure: Callable[[int], tuple[float, float]]


def point(
    users: int = USERS,
    items: int = ITEMS,
    dimensions: int = DIMENSIONS,
    length: int = LENGTH,
    consumed: int = 0,
    search: str = "auto",
) -> tuple[float, float]:
    """CPU µs per event and per list of a learner that knows `users` and `items`.

    Args:
        consumed: h, items in each user's history at the start; 0: those of half the events.
    """
    bare = Bare(
        f"model.dimensions={dimensions}",
        f"lists.length={length}",
        f"lists.search={search}",
        "state.user_cache=1000000",
        f"state.history={max(5000, 2 * consumed)}",
    )
    bare.know(items)
    slots = bare.meet(users)
    bare.want(slots)
    if consumed:
        bare.learn(np.repeat(np.arange(users), consumed), _unlike(users, consumed, items))
    who, what = tastes.events(2 * _EVENTS, users, items)
    if consumed:
        who = np.random.default_rng(7).integers(0, users, len(who))
    bare.learn(who[:_EVENTS], what[:_EVENTS])
    event = bare.learn(who[_EVENTS:], what[_EVENTS:]) / _EVENTS
    met = slots[np.unique(who[_EVENTS:])]
    rng = np.random.default_rng(5)
    spent = bare.lists(rng.choice(met, _LISTS).astype(np.int32)).mean()
    return 1e6 * event, 1e6 * float(spent)


def _unlike(users: int, consumed: int, items: int) -> Any:
    """Items for users to consume, `consumed` different ones each: int64[users · consumed]."""
    start = np.random.default_rng(4).integers(0, items, (users, 1))
    return ((start + 7 * np.arange(consumed)) % items).ravel()


def history(consumed: int) -> tuple[float, float]:
    """The cost if each user has consumed `consumed` items; the total over users is constant."""
    return point(users=_CONSUMED // consumed, items=20_001, consumed=consumed)


AXES = (
    Axis("users", (1_000, 10_000, 100_000, 300_000), "1", "1", lambda n: point(users=n)),
    Axis(
        "items, searched exactly",
        (1_000, 5_000, 20_000, 100_000),
        "1",
        "I",
        lambda n: point(items=n, search="exact"),
    ),
    Axis(
        "items, searched by cluster",
        (5_000, 20_000, 100_000, 300_000),
        "√I",
        "√I",
        lambda n: point(items=n, search="approximate"),
    ),
    Axis("dimensions", (16, 32, 64, 128, 256), "d", "d", lambda n: point(dimensions=n)),
    Axis("list length", (10, 20, 50, 100, 200), "1", "N", lambda n: point(length=n)),
    Axis("history", (16, 64, 256, 1_024, 4_096), "h", "h", history),
)


def exponent(values: list[int], costs: list[float]) -> float:
    """The power of the value that fits the costs best: the slope in a log-log plot.

    >>> exponent([1, 10, 100], [5.0, 50.0, 500.0])
    1.0
    """
    return round(float(np.polyfit(np.log(values), np.log(costs), 1)[0]), 2)


def measured(axis: Axis, most: int) -> dict[str, Any]:
    """The figures of one axis, for its values up to `most`."""
    values = [value for value in axis.values if value <= most]
    costs = []
    for value in values:
        print(f"{axis.name}: {value:,} …", file=sys.stderr)
        costs.append(axis.measure(value))
    found: dict[str, Any] = {"values": values}
    for n, (kind, order) in enumerate((("event", axis.event), ("list", axis.list))):
        us = [round(cost[n], 1) for cost in costs]
        found[kind] = {"us": us, "order": order}
        if len(values) > 1:
            found[kind]["exponent"] = exponent(values, us)
    return found


def main() -> None:
    """Measure, print, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--axes", nargs="*", help="names of axes; default: all")
    parser.add_argument("--most", type=int, default=10**9, help="the largest value")
    options = parser.parse_args()
    chosen = [axis for axis in AXES if not options.axes or axis.name in options.axes]
    figures = {axis.name: measured(axis, options.most) for axis in chosen}
    report(figures)
    OUT.mkdir(exist_ok=True)
    (OUT / "growth.json").write_text(json.dumps(figures, indent=2) + "\n")
    draw(figures)
    print(json.dumps(figures))


def report(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    table = Table(title="CPU µs of the learner")
    for column in ("axis", "values", "of", "µs", "theory", "exponent"):
        table.add_column(column)
    for name, row in figures.items():
        for kind in ("event", "list"):
            found = row[kind]
            table.add_row(
                name,
                " ".join(f"{value:,}" for value in row["values"]),
                kind,
                " ".join(f"{us:,.0f}" for us in found["us"]),
                f"O({found['order']})",
                str(found.get("exponent", "")),
            )
    Console(stderr=True).print(table)


def draw(figures: dict[str, Any]) -> None:
    """Draw a panel for each axis, with logarithmic scales; skipped without Matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        print("no plot: `pip install matplotlib` first", file=sys.stderr)
        return
    figure = Figure(figsize=(12, 7), layout="constrained")
    panels = figure.subplots(2, (len(figures) + 1) // 2, squeeze=False).ravel()
    for panel, (name, row) in zip(panels, figures.items(), strict=False):
        for kind in ("event", "list"):
            label = f"{kind}, O({row[kind]['order']}), fitted {row[kind].get('exponent', '-')}"
            panel.loglog(row["values"], row[kind]["us"], marker="o", label=label)
        panel.set(title=name, ylabel="CPU µs", ylim=(5, 5000))
        panel.legend(fontsize=8)
        panel.grid(alpha=0.3)
    figure.savefig(OUT / "growth.png", dpi=110)


if __name__ == "__main__":
    main()
