"""The report of an evaluation, for people: a table, quality over time, cost.

In: `Result`s. Out: text for a terminal or a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev

from rich.console import Console
from rich.table import Table

from flink_app.evaluate.measure import Point, Result
from udfs.stats import LISTS

MEASURES = (
    "recall@1", "recall@5", "recall@10", "recall@20", "mrr@10", "ndcg@10", "coverage@10",
    "novelty@10",
)  # fmt: skip
_BARS = "▁▂▃▄▅▆▇█"


def spread(values: Sequence[float]) -> str:
    """A mean, with the standard deviation of several.

    >>> spread([0.25]), spread([0.25, 0.35])
    ('0.2500', '0.3000 ± 0.0707')
    """
    text = f"{mean(values):.4f}"
    return f"{text} ± {stdev(values):.4f}" if len(values) > 1 else text


def bars(values: Sequence[float]) -> str:
    """Values as blocks, the highest one full.

    >>> bars([0.0, 0.5, 1.0])
    '▁▅█'
    """
    most = max(values, default=0.0) or 1.0
    return "".join(_BARS[min(int(value / most * 8), 7)] for value in values)


def show(console: Console, results: Sequence[Result]) -> None:
    """Print all of it."""
    groups = [
        (name, mode) for mode in dict.fromkeys(result.mode for result in results) for name in LISTS
    ]
    table = Table(title="test, then learn")
    table.add_column("measure")
    for name, mode in groups:
        table.add_column(f"{name}, {mode}", justify="right")
    for measure in MEASURES:
        cells = [
            spread(
                [run.quality.get(f"{name}:{measure}", 0.0) for run in results if run.mode == mode]
            )
            for name, mode in groups
        ]
        table.add_row(measure, *cells)
    console.print(table)
    for result in results:
        console.print(
            f"{result.mode}, seed {result.seed}: {tests(result)}; {result.events:,} events in "
            f"{result.seconds:,.1f} s; microseconds an event: "
            + ", ".join(f"{stage} {value:g}" for stage, value in result.microseconds.items()),
            soft_wrap=True,
        )
    longest = max(results, key=lambda result: result.quality.get("served:tests", 0.0))
    console.print(f"{longest.mode}, seed {longest.seed}: {over_time(longest.curve)}")


def tests(result: Result) -> str:
    """How many tests there were, and of what kind the events were that were none."""
    quality = result.quality
    kinds = (
        ("served:tests", "tests"),
        ("new_items", "of them for items never seen before"),
        ("unknown_users", "first events of a user"),
        ("repeats", "repeats"),
    )
    return ", ".join(f"{int(quality.get(name, 0)):,} {text}" for name, text in kinds)


def over_time(curve: Sequence[Point]) -> str:
    """Recall@10 of both lists along the stream, on one scale."""
    served = [point.served for point in curve]
    popular = [point.popular for point in curve]
    both = bars(served + popular)
    return (
        "recall@10 over time, from the first test to the last\n"
        f"  served  {both[: len(served)]}  {served[-1] if served else 0:.3f} at the end\n"
        f"  popular {both[len(served) :]}  {popular[-1] if popular else 0:.3f}"
    )
