"""What a demo has shown, in numbers, and what to try next: its last words.

In: an `Outcome`, filled while the demo runs. Out: a few lines on a rich `Console`.
"""

from __future__ import annotations

import statistics

import msgspec
from rich.console import Console

from flink_app.console.totals import Totals
from flink_app.demo.rounds import SHOWN, Round

_NEXT = (
    ("millirec run events.jsonl", "learn from your own events, see README.md"),
    ("millirec simulate --help", "such a shop's events for a file, a folder or Kafka"),
    ("millirec config", "every option, its value and where it comes from"),
)


class Outcome(msgspec.Struct):
    """What the summary is made of.

    Attributes:
        rounds: those whose list has come.
        looks, earned, earned_by_popular: shoppers who were shown two lists, and how many of them
            clicked something on their own and on the popular one.
        written: events, clicks among them. totals: the job's own, at the end.
    """

    rounds: list[Round] = []
    looks: int = 0
    earned: int = 0
    earned_by_popular: int = 0
    written: int = 0
    totals: Totals = Totals()

    @property
    def accounted(self) -> int:
        """Events of which it is known what became of them."""
        totals = self.totals
        return totals.learned + totals.duplicates + totals.rejected + totals.ignored


def summarise(console: Console, outcome: Outcome) -> None:
    """Print the clicks and their milliseconds, what lists earn, the accounts, and what is next."""

    def say(text: str = "") -> None:
        console.print(text, highlight=False)

    if outcome.rounds:
        times = [done.ms for done in outcome.rounds]
        many = "1 click, and a list" if len(times) == 1 else f"{len(times)} clicks, and lists"
        say(
            f"[bold]{many} that followed after {statistics.median(times):.0f} ms[/] "
            f"(median; slowest {max(times):.0f} ms)."
        )
    if outcome.looks:
        own, popular = outcome.earned / outcome.looks, outcome.earned_by_popular / outcome.looks
        say(
            f"{outcome.looks:,} shoppers were shown {SHOWN} items twice: their own list earned a "
            f"click from {own:.0%} of them, the popular one from {popular:.0%}."
        )
    totals, rest = outcome.totals, outcome.written - outcome.accounted
    say(
        f"{outcome.written:,} events = {totals.learned:,} learned + {totals.duplicates:,} "
        f"duplicates + {totals.rejected:,} dead letters + {totals.ignored:,} ignored"
        f"{f' + {rest:,} under way' if rest else ''}."
    )
    say()
    say("[bold]Next[/]")
    for command, what in _NEXT:
        say(f"  {command:26} [dim]{what}[/]")
