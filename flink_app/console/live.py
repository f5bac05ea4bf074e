"""What a run shows while it runs: in a terminal one line that changes, elsewhere plain lines.

In: `Totals`, a few times a second, and the operators' warnings. Out: text on standard error.
"""

from __future__ import annotations

import threading
import time

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from flink_app.console.totals import Totals

PLAIN_S = 5.0
"""How often a plain line is printed."""

_REPEAT_S = 10.0
"""A repeated warning is shown at most this often."""


def live_line(totals: Totals, seconds: float) -> str:
    """The current figures.

    >>> live_line(Totals(received=12345, events_per_s=1200, lists_per_s=560,
    ...     freshness_p50_ms=31.2, freshness_p99_ms=80.4, dead={"json": 3}), 75)
    '1:15  12,345 events  1,200/s  560 lists/s  fresh p50 31 ms p99 80 ms  3 dead letters'
    >>> live_line(Totals(encoder={"waiting": 40}), 75).rpartition("  ")[2]
    '40 to encode'
    """
    parts = [
        clock(seconds),
        f"{totals.received:,} events",
        f"{totals.events_per_s:,}/s",
        f"{totals.lists_per_s:,} lists/s",
        f"fresh p50 {duration(totals.freshness_p50_ms)} p99 {duration(totals.freshness_p99_ms)}",
        counted(totals.rejected, "dead letter"),
    ]
    if (waiting := totals.encoder.get("waiting", 0)) > 0:
        parts.append(f"{waiting:,} to encode")
    return "  ".join(parts)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours if there are any.

    >>> clock(75), clock(3675)
    ('1:15', '1:01:15')
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(ms: float) -> str:
    """Milliseconds, or seconds from ten seconds on; "-" if nothing was measured.

    >>> duration(31.2), duration(12_345.0), duration(0.0)
    ('31 ms', '12.3 s', '-')
    """
    if ms <= 0:
        return "-"
    return f"{ms:,.0f} ms" if ms < 10_000 else f"{ms / 1000:,.1f} s"


def change(by: float) -> str:
    """A relative change as text, which no line break divides.

    >>> change(0.0512), change(-0.3), change(0.0)
    ('+5.12\\xa0%', '−30\\xa0%', '+0\\xa0%')
    """
    return f"{100 * by:+.3g}\N{NO-BREAK SPACE}%".replace("-", "−")


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "list"), counted(2000, "list")
    ('1 list', '2,000 lists')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


class LiveLine:
    """Context manager: the live line, and the lines printed above it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, transient=True) if console.is_terminal else None
        self._spinner = Spinner("dots", style="cyan")
        self._printed_at = time.monotonic()
        self._warned: dict[str, float] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> LiveLine:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def say(self, text: str) -> None:
        """A line that stays on the screen."""
        self._console.print(Text(text), soft_wrap=True)

    def stage(self, text: str) -> None:
        """What is being waited for."""
        if self._live:
            self._show(text)
        else:
            self.say(text)

    def figures(self, totals: Totals, seconds: float) -> None:
        """The figures of the moment; anywhere else than in a terminal, every 5 seconds."""
        line = live_line(totals, seconds)
        if self._live:
            self._show(line)
        elif time.monotonic() - self._printed_at >= PLAIN_S:
            self._printed_at = time.monotonic()
            self.say(line)

    def warn(self, message: str) -> None:
        """A warning of an operator, from any thread; the same one every 10 seconds at most."""
        with self._lock:
            now = time.monotonic()
            if now - self._warned.get(message, -_REPEAT_S) < _REPEAT_S:
                return
            self._warned = {m: at for m, at in self._warned.items() if now - at < _REPEAT_S}
            self._warned[message] = now
        self.say(f"warning: {message}")

    def _show(self, text: str) -> None:
        assert self._live is not None
        self._spinner.update(text=Text(text))
        self._live.update(self._spinner)
