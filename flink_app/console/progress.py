"""The progress bar of commands that read or download bytes.

In: a label and the total. Out: a context whose function moves the bar; nothing outside a terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn


@contextmanager
def byte_bar(
    console: Console, label: str, total: int, last: ProgressColumn
) -> Iterator[Callable[[int], None]]:
    """Show a bar with the bytes so far and the column `last` until left.

    Yields a function that takes the number of bytes so far.
    """
    columns = TextColumn(label), BarColumn(), DownloadColumn(), last
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.update(task, completed=done)
