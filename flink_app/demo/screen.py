"""What the demo shows: one list that changes in place in a terminal, plain lines anywhere else.

In: `Round`s, the job's `Totals`, the world for titles and truth, and its words. Out: text on a rich
`Console`.
"""

from __future__ import annotations

import time

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from flink_app.console.live import PLAIN_S, live_line
from flink_app.console.totals import Totals
from flink_app.demo.rounds import SHOWN, Move, Round
from flink_app.simulator.scenarios import Words
from flink_app.simulator.world import World

_DOTS = 5
_LEGEND = "●●●○○ true affinity, which only the simulator knows; Ctrl-C ends the demo"


class Screen:
    """Context manager: the live part at the bottom of a terminal, and the lines above it."""

    def __init__(self, console: Console, world: World, words: Words) -> None:
        self._console, self._world, self._words = console, world, words
        self._list: RenderableType = Text("")
        self._footer: RenderableType = Text("")
        self._stage = ""
        self._figures_at = 0.0
        self._live = Live(console=console, refresh_per_second=10) if console.is_terminal else None

    def __enter__(self) -> Screen:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """Print a permanent line, in rich's markup."""
        self._console.print(text, highlight=False)

    def stage(self, text: str, detail: str = "") -> None:
        """Show what is being waited for; `detail`, which may change, only in a terminal."""
        if self._live:
            if text != self._stage:
                self._footer = Spinner("dots", style="cyan")
            assert isinstance(self._footer, Spinner)
            self._footer.update(text=Text.assemble(f" {text} ", (detail, "dim")))
            self._draw()
        elif text != self._stage:
            self.say(text)
        self._stage = text

    def looks(self, round_: Round) -> None:
        """Show that a user looks at a list."""
        if self._live:
            self._list = self._panel(round_, "looks at the list", clicks=False)
            self._draw()

    def clicks(self, round_: Round) -> None:
        """Show that the user takes an item."""
        if self._live:
            self._list = self._panel(round_, self._words.takes, clicks=True)
            self._draw()

    def follows(self, round_: Round) -> None:
        """Show the new list."""
        if self._live:
            text = f"the list follows after [bold]{round_.ms:.0f} ms[/]"
            self._list = self._panel(round_, text, clicks=False)
            self._draw()
            return
        self.say(f"{self._who(round_)} {self._words.takes} {self._titled(round_.clicked)}:")
        self.say(f"  the list follows after {round_.ms:.0f} ms, {round_.moved} of {SHOWN} moved up")
        for move in round_.moves:
            self.say(f"  {move.place}  {self._titled(move.item):52} {_plain_arrow(move)}".rstrip())

    def keep(self, round_: Round) -> None:
        """Print one line about a round above the live part, if there is one."""
        if self._live:
            self.say(
                f"[dim]{round_.user:>5}[/] {self._words.took} {self._titled(round_.clicked)}"
                f"[dim]: {round_.moved} of {SHOWN} moved up after[/] {round_.ms:.0f} ms"
            )

    def figures(self, totals: Totals, seconds: float) -> None:
        """Show the current figures; outside a terminal, every five seconds."""
        text = live_line(totals, seconds)
        if self._live:
            self._footer = Group(Text(text, style="cyan"), Text(_LEGEND, style="dim"))
            self._draw()
        elif time.monotonic() - self._figures_at >= PLAIN_S:
            self._figures_at = time.monotonic()
            self.say(text)

    def warn(self, message: str) -> None:
        """Print a warning of an operator; from any thread."""
        self.say(f"[yellow]warning:[/] {escape(message)}")

    def clear(self) -> None:
        """Remove the live part."""
        self._list = self._footer = Text("")
        self._draw()

    def _draw(self) -> None:
        if self._live:
            self._live.update(Group(self._list, self._footer), refresh=True)

    def _panel(self, round_: Round, text: str, *, clicks: bool) -> RenderableType:
        table = Table.grid(padding=(0, 1))
        for width in (3, 38, 9, 8, _DOTS, 9):
            table.add_column(width=width, no_wrap=True)
        if round_.after is None:
            for place, item in enumerate(round_.before[:SHOWN], start=1):
                chosen = clicks and item == round_.clicked
                note = Text(f"◀ {self._words.deed}", style="bold yellow") if chosen else Text("")
                self._row(table, round_.user, place, item, note, "yellow" if chosen else "")
        else:
            for move in round_.moves:
                note = _arrow(move)
                self._row(table, round_.user, move.place, move.item, note, "")
        lines = len(round_.moves) if round_.after is not None else len(round_.before[:SHOWN])
        for _ in range(SHOWN - lines):
            table.add_row("")
        head = Text.from_markup(f"{self._who(round_)} {text}")
        return Padding(Group(head, Text(""), table), (1, 1))

    def _row(self, table: Table, user: str, place: int, item: str, note: Text, style: str) -> None:
        dots = round(float(self._world.click_probability(user, [item])[0]) * _DOTS)
        table.add_row(
            Text(f"{place:>2}", style="dim"),
            Text(self._world.title(item), style=style or "bold")
            + Text(" new" if self._world.is_new(item) else "", style="bold magenta"),
            Text(self._world.category(item), style=style or "dim"),
            Text(self._world.caption(item), style="dim"),
            Text("●" * dots, style="green") + Text("○" * (_DOTS - dots), style="dim"),
            note,
        )

    def _who(self, round_: Round) -> str:
        return f"[bold]{round_.user}[/] (loves {' and '.join(round_.loves)})"

    def _titled(self, item: str) -> str:
        world = self._world
        told = f"{world.category(item)}, {world.caption(item)}"
        return escape(f"{world.title(item)} ({told}{', new' if world.is_new(item) else ''})")


def _arrow(move: Move) -> Text:
    if move.before is None:
        return Text("✦ in", style="bold magenta")
    if move.gained > 0:
        return Text(f"▲ {move.gained}", style="bold green")
    return Text(f"▼ {-move.gained}" if move.gained else "", style="red")


def _plain_arrow(move: Move) -> str:
    if move.before is None:
        return "in"
    return f"{'up' if move.gained > 0 else 'down'} {abs(move.gained)}" if move.gained else ""
