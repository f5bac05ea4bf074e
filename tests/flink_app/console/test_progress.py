"""The progress bar shows bytes in a terminal, and nothing elsewhere."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import TimeRemainingColumn

from flink_app.console.progress import byte_bar


@pytest.mark.parametrize("terminal", [True, False])
def test_bytes_are_shown_in_a_terminal_only(terminal: bool) -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=80)
    with byte_bar(console, "reading", 4_000, TimeRemainingColumn()) as on_bytes:
        on_bytes(2_000)
    assert ("reading" in out.getvalue() and "4.0 kB" in out.getvalue()) == terminal
    assert bool(out.getvalue()) == terminal
