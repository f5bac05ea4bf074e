"""The first line of a file, read apart from the stream of its lines: where a CSV has its header.

In: the path of a file, which may be compressed. Out: a line of text.
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
"""The maximum characters of a header, so that a file without line ends is not read whole."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def first_line(path: str) -> str:
    """The first line that is not blank, without its end and byte order mark; "" if there is none,
    or the file can be read only once, as a pipe.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        if not stat.S_ISREG(Path(path).stat().st_mode):
            return ""
        with ExitStack() as stack:
            raw = stack.enter_context(Path(path).open("rb"))
            stream = stack.enter_context(_decompressed(path, raw))
            return _first(stream)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"{path} cannot be read: {reason}") from error


def _first(stream: IO[bytes]) -> str:
    buffered = io.BufferedReader(cast("Any", stream))
    head = buffered.peek(4)[:4]
    encoding = next((name for mark, name in _MARKS if head.startswith(mark)), "utf-8")
    text = io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline="\n")
    left = _MOST
    while left > 0 and (line := text.readline(left)):
        if line.strip("\ufeff \t\r\n"):
            return line.strip("\ufeff\r\n")
        left -= len(line)
    return ""


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
