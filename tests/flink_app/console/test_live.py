"""The live line: its words, and what a terminal and a file get of it."""

from __future__ import annotations

import io

from rich.console import Console

from flink_app.console import live
from flink_app.console.live import LiveLine, live_line
from flink_app.console.totals import Totals


def plain() -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, force_terminal=False, width=40), out


def test_nothing_measured_is_no_zero() -> None:
    assert live_line(Totals(), 5) == (
        "0:05  0 events  0/s  0 lists/s  fresh p50 - p99 -  0 dead letters"
    )


def test_one_dead_letter_is_singular() -> None:
    assert live_line(Totals(dead={"json": 1}), 5).endswith("  1 dead letter")


def test_outside_a_terminal_lines_are_plain_whole_and_rare() -> None:
    console, out = plain()
    with LiveLine(console) as line:
        line.stage("starting")
        line.figures(Totals(received=1), 1)
        line._printed_at -= live.PLAIN_S
        line.figures(Totals(received=2), 2)
        line.figures(Totals(received=3), 3)
    lines = out.getvalue().splitlines()
    assert lines == ["starting", live_line(Totals(received=2), 2)]


def test_a_terminal_shows_the_newest_figures() -> None:
    out = io.StringIO()
    with LiveLine(Console(file=out, force_terminal=True, width=120)) as line:
        line.figures(Totals(received=1234), 1)
        line._live.refresh()  # type: ignore[union-attr]
    assert "1,234 events" in out.getvalue()


def test_a_warning_is_not_repeated_at_once() -> None:
    console, out = plain()
    line = LiveLine(console)
    for message in ("Redis is away", "Redis is away", "[bold]another"):
        line.warn(message)
    assert out.getvalue().splitlines() == ["warning: Redis is away", "warning: [bold]another"]
