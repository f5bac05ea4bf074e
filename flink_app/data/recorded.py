"""Recorded events as lines, without Flink, for the commands that look at files themselves.

In: paths of files and folders; what ends in .gz is decompressed. Out: `Block`s of lines, cut and
decoded as the job's source does it: at line feeds, and what is no UTF-8 becomes U+FFFD.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

from udfs.errors import SourceError

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
    for path in (path.expanduser() for path in paths):
        if not path.exists():
            raise SourceError(f"{path} cannot be read: No such file or directory")
        if not path.is_dir():
            found.append(path)
            continue
        below = [file for file in sorted(path.rglob("*")) if file.is_file()]
        below = [file for file in below if not _hidden(file.relative_to(path))]
        if not below:
            raise SourceError(f"there is no file in the folder {path}")
        found += below
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def read_blocks(
    paths: Sequence[Path],
    size: int = BLOCK,
    on_bytes: Callable[[int], None] = lambda read: None,
    errors: str = "replace",
) -> Iterator[Block]:
    """The lines of files, at most `size` at a time; a block is of one file.

    Args:
        on_bytes: called with the number of bytes read so far of all files, as they lie there.
        errors: what becomes of bytes that are no UTF-8, as in `bytes.decode`.

    Raises:
        SourceError: a file cannot be read.
    """
    before = 0
    for path in files_of(paths):
        try:
            with path.open("rb") as raw, _text(path, raw, errors) as text:
                first = 1
                while lines := [line.rstrip("\r\n") for line in islice(text, size)]:
                    yield Block(path, first, lines)
                    first += len(lines)
                    on_bytes(before + (raw.tell() if raw.seekable() else 0))
            before += path.stat().st_size
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or error
            raise SourceError(f"{path} cannot be read: {reason}") from error


def _text(path: Path, raw: IO[bytes], errors: str) -> io.TextIOWrapper:
    stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
    return io.TextIOWrapper(stream, encoding="utf-8", errors=errors, newline="\n")
