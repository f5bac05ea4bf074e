"""The summary at the end of a demo: what it has shown, in numbers, and what to try next.

In: an `Outcome`, filled while the demo runs. Out: a few lines on a rich `Console`.
"""

from __future__ import annotations

import statistics

import msgspec
from rich.console import Console
from rich.markup import escape

from flink_app.console.totals import Totals
from flink_app.demo.rounds import SHOWN, Newcomer, Round
from flink_app.simulator.scenarios import Words

_EXAMPLES = 3
_NEXT = (
    ("millirec run events.jsonl", "learn from your own events, see README.md"),
    ("millirec simulate --help", "write such events to a file, a folder or Kafka"),
    ("millirec config", "every option, its value and where it comes from"),
)


class Outcome(msgspec.Struct):
    """The numbers of the summary.

    Attributes:
        rounds: those whose new list has arrived.
        looks: users who were shown two lists. earned, earned_by_popular: how many of them
            took an item of their own list, and on the popular one.
        published, newcomers: how many items arrived during the demo, and those of them that some
            user's list has.
        written: events, including clicks and searches, without those of items. totals: the job's
            own, at the end.
    """

    rounds: list[Round] = []
    looks: int = 0
    earned: int = 0
    earned_by_popular: int = 0
    published: int = 0
    newcomers: list[Newcomer] = []
    written: int = 0
    totals: Totals = Totals()

    @property
    def accounted(self) -> int:
        """Events whose outcome is known."""
        return self.totals.accounted - self.totals.described


def summarise(console: Console, outcome: Outcome, words: Words) -> None:
    """Print the clicks and their milliseconds, what lists earn, the accounts, and what is next."""

    def show(text: str = "") -> None:
        console.print(text, highlight=False)

    if outcome.rounds:
        times = [each.ms for each in outcome.rounds]
        deed = words.deed
        clicks = f"1 {deed}, and a list" if len(times) == 1 else f"{len(times)} {deed}s, and lists"
        show(
            f"[bold]{clicks} that followed after {statistics.median(times):.0f} ms[/] "
            f"(median; slowest {max(times):.0f} ms)."
        )
    if outcome.looks:
        own, popular = outcome.earned / outcome.looks, outcome.earned_by_popular / outcome.looks
        show(
            f"{outcome.looks:,} {words.people} were shown {SHOWN} items twice: their own list "
            f"earned a {words.deed} from {own:.0%} of them, the popular one from {popular:.0%}."
        )
    if outcome.published:
        show(
            f"{outcome.published:,} new items were published meanwhile, "
            f"{len(outcome.newcomers):,} of them stand in lists, such as:"
        )
        for one in outcome.newcomers[-_EXAMPLES:]:
            show(
                f"  [bold magenta]new[/] {escape(one.title):38} [dim]{escape(one.caption):8}[/] "
                f"for {one.user:5} [dim]{escape(one.reason)}[/]"
            )
    totals, rest = outcome.totals, outcome.written - outcome.accounted
    show(
        f"{outcome.written:,} events = {totals.learned:,} learned + {totals.duplicates:,} "
        f"duplicates + {totals.rejected:,} dead letters"
        f"{f' + {totals.ignored:,} searches' if totals.ignored else ''}"
        f"{f' + {rest:,} in progress' if rest else ''}."
    )
    show()
    show("[bold]Next[/]")
    for command, what in _NEXT:
        show(f"  {command:26} [dim]{what}[/]")
