"""`millirec items --encode`: adds vectors of texts and images to items before they are sent.

In: changes of items. Out: the same with `text_vector` and `image_vector`, so that the job need not
make them. What comes with a vector keeps it.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from msgspec.structs import replace
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from flink_app.config import Config
from flink_app.console.live import counted
from flink_app.console.terminal import printable
from udfs.encoders.encoders import FIELD, Encoders, Which
from udfs.encoders.problems import ImageProblem
from udfs.errors import ConfigError
from udfs.events.item_changes import ItemChange

_REPORTED = 5  # images without a vector that are named


class WithVectors:
    """See the module.

    Raises:
        ConfigError: no network is configured, or one is missing.
    """

    def __init__(self, config: Config) -> None:
        if not (config.text.model or config.images.model):
            raise ConfigError(
                "--encode needs text.model or images.model: run millirec fetch minilm, and add "
                "--set text.model=minilm"
            )
        self._encoders = Encoders(config.text, config.images)
        self._threads = max(config.text.threads, config.images.threads)
        self._made: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._moved: Callable[[], object] = lambda: None

    @contextmanager
    def progress(self) -> Iterator[None]:
        """Show how many items are done, in a terminal, until left; then print the sum."""
        console = Console(stderr=True)
        columns = SpinnerColumn(), TextColumn("{task.completed:,.0f} items encoded")
        with Progress(
            *columns,
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        ) as bar:
            task = bar.add_task("", total=None)
            self._moved = lambda: bar.advance(task)
            yield
        made = " and ".join(counted(n, f"{which} vector") for which, n in self._made.items())
        left = "".join(f"; {n:,} without: {reason}" for reason, n in self._failed.items())
        print(f"{made or 'no vectors'} made{left}", file=sys.stderr)

    def add(self, changes: Sequence[ItemChange]) -> list[ItemChange]:
        """The changes with vectors."""
        with ThreadPoolExecutor(self._threads) as pool:
            found = []
            for made, problems in pool.map(self._one, changes):
                for problem in problems:
                    if self._failed.total() < _REPORTED:
                        told = f"the image of {made.item!r} has no vector: {problem}"
                        print(printable(told), file=sys.stderr)
                    self._failed[problem.reason] += 1
                found.append(made)
                self._moved()
        return found

    def _one(self, change: ItemChange) -> tuple[ItemChange, list[ImageProblem]]:
        fields: dict[str, Any] = dict(change.fields)
        text = ". ".join(part for name in ("title", "text") if (part := fields.get(name)))
        problems = []
        contents: dict[Which, str] = {"text": text, "image": fields.get("image") or ""}
        for which in self._encoders.kinds:
            if not contents[which] or FIELD[which] in fields:
                continue
            try:
                found = self._encoders.encode(which, contents[which])
            except ImageProblem as problem:
                problems.append(problem)
                continue
            self._made[which] += 1
            fields[FIELD[which]] = found.vector.tolist()
        return replace(change, fields=fields), problems
