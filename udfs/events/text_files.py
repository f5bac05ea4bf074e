"""Opens a file of events or items as lines of text, whatever it is packed in: for all that reads
files itself, in the job and beside it.

In: a path, and the encoding if the file does not say it. Out: lists of lines without their line
feeds, cut as Flink cuts them. Compression is recognised by the first bytes, not by the name; JSON
whose objects go over several lines is turned into one line for each object.
"""

from __future__ import annotations

import bz2
import codecs
import json
import lzma
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import zstandard

from udfs.errors import SourceError

CHUNK = 65_536  # bytes

_PACKED: dict[str, tuple[bytes, Callable[[], Any]]] = {
    "gzip": (b"\x1f\x8b\x08", lambda: zlib.decompressobj(wbits=31)),
    "bzip2": (b"BZh", bz2.BZ2Decompressor),
    "xz": (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
    "zstd": (b"\x28\xb5\x2f\xfd", lambda: zstandard.ZstdDecompressor().decompressobj()),
}
"""By kind: the first bytes of a stream, and what unpacks one."""

_MARKS = {  # UTF-32 first: its little-endian mark begins with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""Byte order marks, and the encodings they stand for."""

_NO_TEXT = ("idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape", "mbcs", "oem")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]|[^"{}\[\]]+')


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
        texts = _decoded(chunks, form.encoding, errors)
        lines = _lines(_limited(texts, most) if most else texts)
        yield from _objects(lines) if form.spread else lines


def count_lines(path: Path, encoding: str = "") -> Iterator[int]:
    """Numbers whose sum is how many lines `open_lines` gives, counted faster. Errors as there."""
    with _file(path) as file:
        form, chunks = _opened(path, file, encoding)
        if form.spread or form.encoding.startswith(("utf-16", "utf-32")):
            yield from map(len, open_lines(path, encoding))
            return
        end = b"\n"
        for chunk in chunks:
            yield chunk.count(b"\n")
            end = chunk[-1:] or end
        yield int(end != b"\n")


def one_stream(path: Path) -> bool:
    """Whether a compressed file has no stream after its first, where some readers stop.

    Raises:
        SourceError: it cannot be read, or the stream is damaged or cut off.
    """
    with _file(path) as file:
        chunks = _read(path, file)
        head = next(chunks, b"")
        kind = _kind(head)
        ends: list[int] = []
        for _ in _unpacked(path, kind, chain([head], chunks), ends.append) if kind else ():
            if len(ends) > 1:
                return False
        return len(ends) < 2


def _file(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _opened(
    path: Path,
    file: BinaryIO,
    encoding: str,
    on_bytes: Callable[[int], None] = lambda read: None,
) -> tuple[Form, Iterator[bytes]]:
    """What a file is, and all of its text in bytes, without a byte order mark."""
    chunks = _read(path, file, on_bytes)
    head = _first(chunks, 8)
    packed = _kind(head)
    chunks = chain([head], chunks)
    if packed:
        chunks = _unpacked(path, packed, chunks)
    head = _first(chunks, CHUNK)
    mark = next((mark for mark in _MARKS if head.startswith(mark)), b"")
    name = _MARKS[mark] if mark else codec(encoding)
    text = head[len(mark) :]
    spread = _is_spread(text.decode(name, "ignore"))
    return Form(packed, name, bool(mark), spread), chain([text], chunks)


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
        raise _unreadable(path, error.strerror or str(error)) from error


def _first(chunks: Iterator[bytes], size: int) -> bytes:
    """At least `size` bytes, unless there are fewer."""
    found: list[bytes] = []
    length = 0
    while length < size and (chunk := next(chunks, b"")):
        found.append(chunk)
        length += len(chunk)
    return b"".join(found)


def _kind(head: bytes) -> str:
    """How something is compressed, by its first bytes; "" if it is not."""
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] < 0x60:
        return "zstd"  # a frame to be skipped, with which pzstd begins
    for kind, (magic, _) in _PACKED.items():
        # `BZh` may begin a text, but not with the digits that follow in a file.
        if head.startswith(magic) and (kind != "bzip2" or head[4:8] in (b"1AY&", b"\x17rE8")):
            return kind
    return ""


def _unpacked(
    path: Path,
    kind: str,
    chunks: Iterator[bytes],
    on_stream: Callable[[int], None] = lambda number: None,
) -> Iterator[bytes]:
    """The content of all streams of a compressed file, which may be separated by zero bytes."""
    magic, start = _PACKED[kind]
    number = 0
    rest = b""
    while True:
        if number:  # another stream, padding, or the end
            while not (rest := rest.lstrip(b"\0")) and (chunk := next(chunks, b"")):
                rest = chunk
            if not rest:
                return
            rest += _first(chunks, len(magic) - len(rest)) if len(rest) < len(magic) else b""
            if not rest.startswith(magic) and kind != "zstd":  # which has frames of other kinds
                raise _unreadable(path, f"what follows {kind} stream {number} is no {kind}")
        number += 1
        on_stream(number)
        stream = start()
        while not stream.eof:
            data = rest or next(chunks, b"")
            rest = b""
            if not data:
                raise _unreadable(path, f"it ends in the middle of {kind} stream {number}")
            try:
                content = stream.decompress(data)
            except (OSError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
                raise _unreadable(path, f"{kind} stream {number} is damaged ({error})") from error
            if content:
                yield content
        rest = stream.unused_data


def _decoded(chunks: Iterable[bytes], encoding: str, errors: str) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    for chunk in chunks:
        yield decoder.decode(chunk)
    yield decoder.decode(b"", True)


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


def _is_spread(head: str) -> bool:
    """Whether text is JSON whose objects go over several lines, by its beginning.

    >>> _is_spread('{"a": 1}\\n{"a": 2}\\n'), _is_spread('[{"a": 1},\\n {"a": 2}]')
    (False, False)
    >>> _is_spread('{\\n "a": 1\\n}\\n'), _is_spread('[\\n {\\n "a": 1\\n }\\n]')
    (True, True)
    """
    text = head.lstrip("\ufeff \t\r\n")
    if text.startswith("["):
        text = text[1:].lstrip()
    if not text.startswith("{"):
        return False
    line, feed, _ = text.partition("\n")
    if not feed:
        return False
    if line.strip() == "{":
        return True
    try:
        return json.JSONDecoder().raw_decode(text)[1] > len(line)
    except (ValueError, RecursionError):
        return False  # a damaged line, or a damaged object, which is no reason to join lines


def _objects(lines: Iterable[list[str]]) -> Iterator[list[str]]:
    """Each object of JSON as one line, and what lies between them, if it is more than commas and
    the brackets of an array around them, as lines of its own."""
    depth = 0
    parts: list[str] = []
    for block in lines:
        found: list[str] = []
        for line in block:
            for token in _TOKEN.findall(line):
                if depth == 0 and token in "[]":
                    token = ","
                elif token in "{[":
                    if depth == 0:
                        found += _between(parts)
                        parts = []
                    depth += 1
                parts.append(token)
                if depth and token in "}]":
                    depth -= 1
                    if depth == 0:
                        found.append("".join(parts))
                        parts = []
            parts.append(" ")  # for the line feed
        yield found
    yield ["".join(parts)] if depth else _between(parts)


def _between(parts: list[str]) -> list[str]:
    text = "".join(parts).strip(", \t\r")
    return [text] if text else []


def _unreadable(path: Path, reason: str) -> SourceError:
    return SourceError(f"{path} cannot be read: {reason}")
