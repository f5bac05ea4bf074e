"""The report of an evaluation, for people: a table, quality over time, cost.

In: `Result`s. Out: text for a terminal or a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean, stdev
from typing import NamedTuple

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from flink_app.evaluate.results import OWN, Point, Result
from udfs.accounts import LISTS, NEVER_TAKEN, NTH, RARE, RATINGS, SELDOM_TAKEN

MEASURES = (
    "recall@1",
    "recall@5",
    "recall@10",
    "recall@20",
    "mrr@10",
    "mrr@20",
    "ndcg@10",
    "coverage@10",
    "novelty@10",
)
_PARTS = {NEVER_TAKEN: "never taken", SELDOM_TAKEN: f"taken < {RARE} times"}
_BOTH = ("", f" {LISTS[1]}")  # how the names of the lists end that are tested by number
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
    console.print(table(results))
    for result in results:
        error = f"; RMSE of ratings {result.rmse:.4f}" if result.rmse is not None else ""
        console.print(
            f"{title(result)}: {tests(result)}; {result.events:,} events in "
            f"{result.seconds:,.1f} s; microseconds: "
            + ", ".join(f"{stage} {value:g}" for stage, value in result.microseconds.items())
            + error,
            soft_wrap=True,
        )
    if own := [result for result in results if result.model == OWN]:
        longest = max(own, key=lambda result: result.quality.get("served:tests", 0.0))
        console.print(f"{title(longest)}: {over_time(longest.curve)}")
        if told := by_number(longest):
            console.print(told, soft_wrap=True)


def table(results: Sequence[Result]) -> Table:
    """A row for each list: millirec's own, by mode, then the baselines'."""
    # As narrow as it can be: numbers are never cut at a terminal's 80 columns.
    found = Table(title="test, then learn", box=SIMPLE, padding=0, show_edge=False)
    found.add_column("list")
    for measure in MEASURES:
        found.add_column(measure.replace("@", "\n@"), justify="right", no_wrap=True)
    for each in lists(results):
        cells = (spread(each.totals(measure)).replace(" ± ", "\n±") for measure in MEASURES)
        found.add_row(each.label, *(cell.replace("±0", "±") for cell in cells))
    return found


class Listed(NamedTuple):
    """A list whose quality was measured.

    Attributes:
        model: whose it is. kind: the mode, or `baseline`.
        name: what it is called in `Result.quality`. runs: those that measured it, one a seed.
    """

    model: str
    kind: str
    name: str
    runs: list[Result]

    @property
    def label(self) -> str:
        """What people read."""
        return f"{self.model}, {self.kind}"

    def totals(self, measure: str) -> list[float]:
        """The measure over all tests of each run."""
        return [run.quality.get(f"{self.name}:{measure}", 0.0) for run in self.runs]


def lists(results: Sequence[Result]) -> Iterator[Listed]:
    """Every list in results: millirec's own, by mode, and the baselines'."""
    for model, mode in dict.fromkeys((result.model, result.mode) for result in results):
        runs = [run for run in results if (run.model, run.mode) == (model, mode)]
        if model != OWN:
            yield Listed(model, "baseline", LISTS[0], runs)
            continue
        for name in dict.fromkeys([*LISTS, *tested(runs)]):
            shown = {LISTS[0]: runs[0].served} | _PARTS
            yield Listed(shown.get(name, name), mode, name, runs)


def tested(runs: Sequence[Result]) -> list[str]:
    """The lists that runs have tested, in order."""
    names = [key.partition(":") for run in runs for key in run.quality]
    lists = [name for name, _, measure in names if measure == "tests" and name != RATINGS]
    return [name for name in lists if not name.startswith(NTH)]


def by_number(result: Result) -> str:
    """Recall@10 of the first, second, … events of users, of millirec's list and the popular one.

    >>> found = {"nth1:tests": 4.0, "nth1:recall@10": 0.5, "nth1 popular:tests": 4.0}
    >>> head = {"mode": "strict", "seed": 1, "events": 9, "seconds": 1, "microseconds": {}}
    >>> by_number(Result(**head, quality=found, curve=[]))
    "recall@10 of a user's event 1: 0.5000 (popular 0.0000; 4 tests)"
    """
    quality, parts = result.quality, []
    for key in quality:
        number, _, measure = key.removeprefix(NTH).partition(":")
        if key.startswith(NTH) and measure == "tests" and number.isdigit():
            own, other = (quality.get(f"{NTH}{number}{more}:recall@10", 0.0) for more in _BOTH)
            parts.append(
                (int(number), f"{own:.4f} (popular {other:.4f}; {quality[key]:,.0f} tests)")
            )
    told = ", ".join(f"{number}: {text}" for number, text in sorted(parts))
    return f"recall@10 of a user's event {told}" if told else ""


def title(result: Result) -> str:
    """What a line about a run begins with."""
    name = result.mode if result.model == OWN else f"{result.model} baseline"
    return f"{name}, seed {result.seed}"


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
    popular = [point.popular or 0.0 for point in curve]
    both = bars(served + popular)
    return (
        "recall@10 over time, from the first test to the last\n"
        f"  served  {both[: len(served)]}  {served[-1] if served else 0:.3f} at the end\n"
        f"  popular {both[len(served) :]}  {popular[-1] if popular else 0:.3f}"
    )
