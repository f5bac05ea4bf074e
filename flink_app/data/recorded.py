"""Recorded events as lines, without Flink, for the commands that look at files themselves.

In: paths of files and folders, compressed or not. Out: `Block`s of lines, cut and decoded as the
job's source does it: at line feeds, and what is no text becomes U+FFFD.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

from flink_app.config.paths import local
from flink_app.graph.sources import files_of as files_in
from udfs.errors import SourceError
from udfs.events.text_files import open_lines

BLOCK = 10_000  # lines


class Block(NamedTuple):
    """Some lines of a file, without their line ends; `first` is the first one's number, from 1."""

    path: Path
    first: int
    lines: list[str]

    @property
    def files(self) -> list[str]:
        """The path of each line's file, for a decoder."""
        return [str(self.path)] * len(self.lines)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The files among `paths` and below folders, those in order of name; no hidden ones, as Flink.

    Raises:
        SourceError: there is no such path, or no file in a folder.
    """
    found: list[Path] = []
    for path in paths:
        known = path if path.exists() else local(str(path))
        if not known.exists():
            raise SourceError(f"{path} cannot be read: No such file or directory")
        below = files_in([known])
        if not below:
            raise SourceError(f"there is no file in the folder {path}")
        found += below
    return found


def read_blocks(
    paths: Sequence[Path],
    size: int = BLOCK,
    on_bytes: Callable[[int], None] = lambda read: None,
    errors: str = "replace",
    encoding: str = "",
) -> Iterator[Block]:
    """The lines of files, at most `size` at a time; a block is of one file.

    Args:
        on_bytes: called with the number of bytes read so far of all files, as they lie there.
        errors, encoding: see `udfs.events.text_files.open_lines`.

    Raises:
        SourceError: a file cannot be read.
    """
    before = 0
    for path in files_of(paths):
        read = partial(_add, on_bytes, before)
        lines = chain.from_iterable(open_lines(path, encoding, errors, read))
        first = 1
        while block := [line.rstrip("\r\n") for line in islice(lines, size)]:
            yield Block(path, first, block)
            first += len(block)
        before += path.stat().st_size


def print_lines(paths: Sequence[Path], encoding: str) -> None:
    """Write the lines of files to standard output, in UTF-8. Errors as in `read_blocks`."""
    for block in read_blocks(paths, encoding=encoding):
        sys.stdout.buffer.write("".join(f"{line}\n" for line in block.lines).encode())
    sys.stdout.buffer.flush()


def _add(on_bytes: Callable[[int], None], before: int, read: int) -> None:
    on_bytes(before + read)
