"""Unpacks compressed files, stream after stream.

In: the bytes of a file, in chunks. Out: those of its content, or a SourceError that says where the
file is damaged or cut off: what some libraries take for the end is an error here.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from udfs.errors import SourceError

_PACKED: dict[str, tuple[bytes, Callable[[], Any]]] = {
    "gzip": (b"\x1f\x8b\x08", lambda: zlib.decompressobj(wbits=31)),
    "bzip2": (b"BZh", bz2.BZ2Decompressor),
    "xz": (b"\xfd7zXZ\x00", lzma.LZMADecompressor),
    "zstd": (b"\x28\xb5\x2f\xfd", lambda: _zstd()),
}
"""By kind: the first bytes of a stream, and what unpacks one."""


def _zstd() -> Any:
    # The window is that of `zstd --long=31`. One for each stream: two threads cannot share one.
    return zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()


def kind_of(head: bytes) -> str:
    """How something is compressed, by its first bytes; "" if it is not."""
    if head[1:4] == b"\x2a\x4d\x18" and 0x50 <= head[0] < 0x60:
        return "zstd"  # a frame to be skipped, with which pzstd begins
    for kind, (magic, _) in _PACKED.items():
        # `BZh` may begin a text, but not with the digits that follow in a file.
        if head.startswith(magic) and (kind != "bzip2" or head[4:8] in (b"1AY&", b"\x17rE8")):
            return kind
    return ""


def unpacked(
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
            rest += first_bytes(chunks, len(magic) - len(rest)) if len(rest) < len(magic) else b""
            if not rest.startswith(magic) and kind != "zstd":  # which has frames of other kinds
                raise unreadable(path, f"what follows {kind} stream {number} is no {kind}")
        number += 1
        on_stream(number)
        stream = start()
        while not stream.eof:
            data = rest or next(chunks, b"")
            rest = b""
            if not data:
                raise unreadable(path, f"it ends in the middle of {kind} stream {number}")
            try:
                content = stream.decompress(data)
            except (OSError, ValueError, zlib.error, lzma.LZMAError, zstandard.ZstdError) as error:
                raise unreadable(path, f"{kind} stream {number} is damaged ({error})") from error
            if content:
                yield content
        rest = stream.unused_data


def first_bytes(chunks: Iterator[bytes], size: int) -> bytes:
    """At least `size` bytes, unless there are fewer."""
    found: list[bytes] = []
    length = 0
    while length < size and (chunk := next(chunks, b"")):
        found.append(chunk)
        length += len(chunk)
    return b"".join(found)


def unreadable(path: Path, reason: str) -> SourceError:
    """The error for a file."""
    return SourceError(f"{path} cannot be read: {reason}")
