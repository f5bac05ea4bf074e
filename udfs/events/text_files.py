"""Opens a file of events or items as lines of text, whatever it is packed in: for all that reads
files itself, in the job and beside it.

In: a path, and the encoding if the file does not say it. Out: lists of lines without their line
feeds, cut as Flink cuts them. Compression is recognised by the first bytes, not by the name; JSON
whose objects go over several lines is turned into one line for each object.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import BinaryIO, NamedTuple

from udfs.errors import SourceError
from udfs.events.packed_files import first_bytes, kind_of, unpacked, unreadable
from udfs.events.spread_json import is_spread, objects

CHUNK = 65_536  # bytes


_MARKS = {  # UTF-32 first: its little-endian mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order marks, and the encodings they stand for."""

_NO_TEXT = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")


class Form(NamedTuple):
    """What a file is.

    Attributes:
        packed: "gzip", "bzip2", "xz", "zstd", or "" if it is not compressed.
        encoding: Python's name of the encoding of its text.
        marked: whether a byte order mark says so.
        spread: whether it is JSON whose objects go over several lines.
    """

    packed: str
    encoding: str
    marked: bool
    spread: bool


def byte_order_mark(head: bytes) -> tuple[bytes, str]:
    """The mark at the beginning of a text, and the encoding that it stands for; "" if there is
    none."""
    return next(((mark, name) for mark, name in _MARKS.items() if head.startswith(mark)), (b"", ""))


def codec(name: str) -> str:
    """Python's own name of an encoding; "" stands for UTF-8.

    Raises:
        SourceError: there is no such encoding of text.

    >>> codec("Latin-1"), codec("")
    ('iso8859-1', 'utf-8')
    """
    try:
        found = codecs.lookup(name or "utf-8")
    except (LookupError, ValueError):
        found = None
    if found is None or found.name in _NO_TEXT or not getattr(found, "_is_text_encoding", True):
        raise SourceError(
            f"source.encoding is {name!r}, which is no encoding of text that Python knows: write "
            "such as latin-1, cp1252, utf-16 or gbk"
        )
    return found.name


def form_of(path: Path, encoding: str = "") -> Form:
    """What a file is, by its first 64 KiB; `encoding` as in `open_lines`.

    Raises:
        SourceError: it cannot be read.
    """
    with _file(path) as file:
        return _opened(path, file, encoding)[0]


def head_of(path: Path) -> bytes:
    """The first 64 KiB of a file, unpacked. Errors as in `form_of`."""
    with _file(path) as file:
        return first_bytes(_unpacked(path, file)[1], CHUNK)


def open_lines(
    path: Path,
    encoding: str = "",
    errors: str = "replace",
    on_bytes: Callable[[int], None] = lambda read: None,
    most: int = 0,
) -> Generator[list[str], None, None]:
    r"""The lines of a file, some at a time; a carriage return before a line feed remains.

    Args:
        encoding: of its text, by Python's name; "" means UTF-8. A byte order mark overrules it.
        errors: what becomes of bytes that are no text in this encoding, as in `bytes.decode`.
        on_bytes: called with the bytes read so far, as they lie on the disk.
        most: the characters after which it ends, not only the file; 0 for the file alone.

    Raises:
        SourceError: the file cannot be read, or its compression is damaged or cut off.
    """
    with _file(path) as file:
        form, chunks = _opened(path, file, encoding, on_bytes)
        if form.encoding.startswith(("utf-16", "utf-32")) and errors == "surrogateescape":
            errors = "replace"  # the other is for single bytes
        texts = _decoded(path, chunks, form.encoding, errors)
        lines = _lines(_limited(texts, most) if most else texts)
        yield from objects(lines) if form.spread else lines


def count_lines(path: Path, encoding: str = "") -> Iterator[int]:
    """Numbers whose sum is how many lines `open_lines` gives, counted faster. Errors as there."""
    with _file(path) as file:
        form, chunks = _opened(path, file, encoding)
        if form.spread or not _has_feeds(form.encoding):
            yield from map(len, open_lines(path, encoding))
            return
        end = b"\n"
        for chunk in chunks:
            yield chunk.count(b"\n")
            end = chunk[-1:] or end
        yield int(end != b"\n")


def _has_feeds(encoding: str) -> bool:
    """Whether the byte 10, and it alone, is a line feed: not in EBCDIC, nor where bytes change
    the meaning of the next."""
    wide = encoding.startswith(("utf-16", "utf-32", "utf-7", "hz", "iso2022"))
    return not wide and b"\n".decode(encoding, "replace") == "\n"


def one_stream(path: Path) -> bool:
    """Whether a compressed file has no stream after its first, where some readers stop.

    Raises:
        SourceError: it cannot be read, or the stream is damaged or cut off.
    """
    with _file(path) as file:
        chunks = _read(path, file)
        head = next(chunks, b"")
        kind = kind_of(head)
        ends: list[int] = []
        for _ in unpacked(path, kind, chain([head], chunks), ends.append) if kind else ():
            if len(ends) > 1:
                return False
        return len(ends) < 2


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def _opened(
    path: Path,
    file: BinaryIO,
    encoding: str,
    on_bytes: Callable[[int], None] = lambda read: None,
) -> tuple[Form, Iterator[bytes]]:
    """What a file is, and all of its text in bytes, without a byte order mark."""
    packed, chunks = _unpacked(path, file, on_bytes)
    head = first_bytes(chunks, CHUNK)
    mark, name = byte_order_mark(head)
    name = name or codec(encoding)
    if head[257:262] == b"ustar":  # whose texts would be read with what tar writes between them
        raise unreadable(path, "it is a tar archive, of one file or more: unpack it, tar xf")
    if not mark and name in ("utf-16", "utf-32") and head:
        raise unreadable(
            path,
            f"it has no byte order mark, and source.encoding is {name}: set it to {name}-le, or "
            f"to {name}-be if that gives no text",
        )
    text = head[len(mark) :]
    spread = is_spread(text.decode(name, "ignore"))
    return Form(packed, name, bool(mark), spread), chain([text], chunks)


def _unpacked(
    path: Path, file: BinaryIO, on_bytes: Callable[[int], None] = lambda read: None
) -> tuple[str, Iterator[bytes]]:
    """How a file is compressed, and all of its content, unpacked."""
    chunks = _read(path, file, on_bytes)
    head = first_bytes(chunks, 8)
    packed = kind_of(head)
    chunks = chain([head], chunks)
    return packed, unpacked(path, packed, chunks) if packed else chunks


def _read(
    path: Path, file: BinaryIO, on_bytes: Callable[[int], None] = lambda read: None
) -> Iterator[bytes]:
    read = 0
    try:
        while chunk := file.read(CHUNK):
            read += len(chunk)
            on_bytes(read)
            yield chunk
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error


def _decoded(path: Path, chunks: Iterable[bytes], encoding: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    try:
        for chunk in chunks:
            yield decoder.decode(chunk)
        yield decoder.decode(b"", True)
    except UnicodeError as error:  # some raise it whatever is to become of bad bytes
        raise unreadable(path, f"its text is not in the encoding {encoding} ({error})") from error


def _limited(texts: Iterable[str], most: int) -> Iterator[str]:
    for text in texts:
        yield text[:most]
        most -= len(text)
        if most <= 0:
            return


def _lines(texts: Iterable[str]) -> Iterator[list[str]]:
    """Text cut at line feeds; what follows the last one is a line unless it is empty."""
    begun: list[str] = []  # parts of a line, joined once: a line may be as long as the file
    for text in texts:
        first, feed, others = text.partition("\n")
        begun.append(first)
        if feed:
            lines = others.split("\n")
            lines.insert(0, "".join(begun))
            begun = [lines.pop()]
            yield lines
    if last := "".join(begun):
        yield [last]
