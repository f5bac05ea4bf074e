"""The first lines of a file, read apart from the stream of its lines: where a CSV has its header.

In: the path of a file, which may be compressed. Out: a few lines of text.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import importlib
import io
import lzma
import stat
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, cast

from udfs.errors import SourceError

_MOST = 1 << 20
"""The maximum characters that are read, so that a file without line ends is not read whole."""
_LINES = 20
"""How many lines are read: exports of spreadsheets and reports have some before the header."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def first_lines(path: str, encoding: str = "") -> list[str]:
    """The first lines that are not blank, 20 at most, without their ends and byte order marks; []
    if there is none, or the file can be read only once, as a pipe.

    Args:
        encoding: by Python's name; "" means UTF-8. A byte order mark overrules it.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return []
        with ExitStack() as stack:
            raw = stack.enter_context(Path(path).open("rb"))
            stream = stack.enter_context(_decompressed(path, raw))
            return _first(stream, encoding or "utf-8")
    except (OSError, EOFError, LookupError, ValueError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}") from error


def _first(stream: IO[bytes], encoding: str) -> list[str]:
    buffered = io.BufferedReader(cast("Any", stream))
    head = buffered.peek(4)[:4]
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), encoding)
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline="\n")
    found: list[str] = []
    left = _MOST
    while left > 0 and len(found) < _LINES and (line := text.readline(left)):
        if line.strip("\ufeff \t\r\n"):
            found.append(line.strip("\ufeff\r\n"))
        left -= len(line)
    return found


def _decompressed(path: str, raw: IO[bytes]) -> IO[bytes]:
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":
        return cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    if suffix == ".bz2":
        return cast("IO[bytes]", bz2.BZ2File(raw))
    if suffix == ".xz":
        return cast("IO[bytes]", lzma.LZMAFile(raw))
    if suffix == ".zst":
        return _zstandard(path, raw)
    return raw


def _zstandard(path: str, raw: IO[bytes]) -> IO[bytes]:
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError:
        raise SourceError(
            f"{path} cannot be read without the package zstandard: pip install zstandard"
        ) from None
    reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
    try:
        return io.BytesIO(reader.read(_MOST))
    except zstandard.ZstdError as error:
        raise SourceError(f"{path} cannot be read: {error}") from error
