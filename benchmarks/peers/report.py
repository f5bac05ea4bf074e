"""Presents the figures: a table for the screen, a report in Markdown.

In: the figures of `benchmarks.peers`. Out: text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.peers.stream import SIDE_BY_SIDE

_Row = dict[str, Any]

COLUMNS = (
    "",
    "events/s",
    "millirec is",
    "lists/s",
    "MiB",
    "p50 ms",
    "p95",
    "p99",
    "millirec is",
    "MiB",
    "Recall@10",
)
"""Headings of the table: four for the run at full speed, six for the live one."""

_NOTES = """\
- **At full speed**: the time from a file of events appearing until all of it has been learned and
  the lists of its users are in Redis. The length of the file suits the peer. Zipf {zipf:g},
  {users:,} users, {items:,} items, {factors} factors. A peer makes a user's list once in each of
  its batches, so lists/s shows how many of its events it has answered.
- **Live**: {source}. After {history:,} events of history, {rate:g} events/s for {seconds:g} s, from
  up to {width} alternating users. p50, p95, p99: from writing an event until its user's list that
  counts it can be read in Redis.
- **Recall@10**: whether the list in Redis just before an event had its item, over the same tests
  for all; users without a list get the most popular items. Those alone: {popular}.
- **millirec is**: how many times as fast millirec is (all models), or as fresh at p50.
- MiB: the peak resident memory of the peer's processes, Java and Python.
"""


def cells(row: _Row, figures: _Row) -> list[str]:
    """A row of the table."""
    if "missing" in row:
        return [row["title"], *["–"] * (len(COLUMNS) - 1)]
    own: _Row = next((each for each in figures["peers"] if each["name"] == "millirec"), {})
    fast, live = row.get("full_speed"), row.get("live")
    found = [row["title"], *["–"] * (len(COLUMNS) - 1)]
    if fast:
        found[1] = f"{fast['events_per_s']:,}" + ("" if fast["finished"] else " *")
        found[2] = times(own, "full_speed", lambda mine: mine["events_per_s"], fast["events_per_s"])
        found[3] = f"{fast['lists_per_s']:,}"
        found[4] = f"{sum(fast['peak_mib'].values()):,}"
    if live:
        found[5:8] = (f"{live[name]:,.0f}" for name in ("p50_ms", "p95_ms", "p99_ms"))
        found[8] = times(own, "live", lambda mine: 1 / mine["p50_ms"], 1 / live["p50_ms"])
        found[9] = f"{sum(live['peak_mib'].values()):,}"
        found[10] = f"{live['recall@10']:.3f}"
    if row is own:
        found[2] = found[8] = ""
    return found


def times(own: _Row, part: str, figure: Callable[[_Row], float], other: float) -> str:
    """millirec's figure as a multiple of another's.

    >>> times({"live": {"speed": 30}}, "live", lambda mine: mine["speed"], 20)
    '1.5 ×'
    """
    if part not in own or not other:
        return "–"
    ratio = figure(own[part]) / other
    return f"{ratio:,.0f} ×" if ratio >= 10 else f"{ratio:.2g} ×"


def notes(figures: _Row) -> list[str]:
    """Notes on single rows of the table, a sentence each."""
    found = []
    for row in figures["peers"]:
        fast, live = row.get("full_speed", {}), row.get("live", {})
        if "missing" in row:
            found.append(f"{row['title']}: {row['missing']}")
        if fast and not fast["finished"]:
            found.append(f"{row['title']}: * did not finish {fast['events']:,} events in time")
        if live and live["history"] < figures["live"]["history"]:
            found.append(f"{row['title']}: live with the last {live['history']:,} of the history")
        if live and live["late"]:
            share = live["late"] / live["events"]
            found.append(f"{row['title']}: {share:.0%} of the live events did not reach a list")
    return found


def show(figures: _Row) -> None:
    """Print the table to standard error."""
    table = Table(title="the same events, one machine, one run")
    for column in COLUMNS:
        table.add_column(column, justify="right" if column else "left")
    for row in figures["peers"]:
        table.add_row(*cells(row, figures))
    console = Console(stderr=True, width=140)
    console.print(table)
    console.print(f"Recall@10 of the most popular items: {figures['popular_recall@10']}")
    for note in notes(figures):
        console.print(note)


def markdown(figures: _Row) -> str:
    """The report: the table, its meaning, and how each peer is tuned."""
    machine = figures["machine"]
    lines = [
        "# millirec and its peers",
        "",
        f"`python -m benchmarks.peers`, {machine['at'][:10]}, {machine['cpus']} cores of "
        f"{machine['processor']}, Python {machine['python']}.",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|---" + "|---:" * (len(COLUMNS) - 1) + "|",
        *("| " + " | ".join(cells(row, figures)) + " |" for row in figures["peers"]),
        "",
        *(f"- {note}." for note in notes(figures)),
        "",
        _NOTES.format(
            **figures["full_speed"],
            **figures["live"],
            rate=figures["rate"],
            seconds=figures["seconds"],
            width=SIDE_BY_SIDE,
            popular=figures["popular_recall@10"],
        ),
        "![freshness and quality](peers.png)",
        "",
        "## How each is run",
        "",
    ]
    for row in figures["peers"]:
        packages = ", ".join(row["requirements"][:1])
        lines.append(
            f"- **{row['title']}**{f' ({packages})' if packages else ''}, {row['factors']} factors "
            f"live. {row['what']} [Documentation]({row['source']})."
        )
    return "\n".join(lines) + "\n"
