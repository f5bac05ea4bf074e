"""Which files Flink reads as they lie, and why it would lose lines of others.

In: files, folders and `source.encoding`. Out: the reason for each file that Flink would skip or
read wrongly; and the charset for its format `raw`. Everything is found by looking into the files:
Flink itself goes by their names.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from flink_app.config.paths import refusal
from udfs.errors import SourceError
from udfs.events.text_files import codec, form_of, one_stream, open_lines

CHARSETS = {
    "ascii": "US-ASCII",
    "big5": "Big5",
    "cp437": "IBM437",
    "cp850": "IBM850",
    "cp852": "IBM852",
    "cp866": "IBM866",
    "cp932": "windows-31j",
    "euc_jp": "EUC-JP",
    "euc_kr": "EUC-KR",
    "gb18030": "GB18030",
    "gbk": "GBK",
    "koi8-r": "KOI8-R",
    "shift_jis": "Shift_JIS",
    "utf-8": "UTF-8",
    **{f"cp{page}": f"windows-{page}" for page in (1250, 1251, 1252, 1253, 1254, 1257)},
    **{f"iso8859-{part}": f"ISO-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15)},
}
"""Python's encodings that every Java knows, in which the byte of a line feed is nothing else."""

NOT_LEFT_ALONE = r"(?s)(?!.*\.(?i:bz2|xz|zst)$)(?!.*\.(?:GZ|Gz|gZ)$).*"
"""Java's pattern for the paths in a watched folder that Flink reads right: a file that comes later
cannot be looked into first."""
_ALONE = re.compile(r"\.(?:(?i:bz2|xz|zst)|GZ|Gz|gZ)$")

_GZIP = (".gz", ".gzip")
_UNPACKED_BY_NAME = (*_GZIP, ".bz2", ".xz", ".zst", ".deflate")
"""The endings, in lower case, by which Flink takes a file for a compressed one."""


def files_below(folder: Path) -> list[Path]:
    """The files in a folder and the folders in it, by name; no hidden ones, as Flink lists them."""
    return sorted(_below(folder, frozenset()))


def _below(folder: Path, above: frozenset[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in above:  # a link to a folder that it is in
        return
    for entry in folder.iterdir():
        if entry.name.startswith((".", "_")):
            continue
        if entry.is_dir():
            yield from _below(entry, above | {real})
        elif entry.is_file():
            yield entry


def oddities(files: Iterable[Path], encoding: str) -> dict[Path, str]:
    """Why Flink cannot read some of the files as they lie, each as a clause.

    Raises:
        SourceError: a file cannot be read, or there is no such encoding.
    """
    return {file: reason for file in files if (reason := oddity(file, encoding))}


def oddity(file: Path, encoding: str) -> str:
    """Why Flink cannot read a file as it lies; "" if it can. Errors as in `oddities`."""
    if reason := name_oddity(file):
        return reason
    form = form_of(file, encoding)
    if form.packed == "gzip" and file.suffix not in _GZIP:
        return "it is compressed by gzip, but its name does not end in .gz"
    if form.packed in ("xz", "zstd"):
        return f"it is compressed by {form.packed}, which Flink's own jars cannot unpack"
    if form.packed == "bzip2" and (file.suffix != ".bz2" or not one_stream(file)):
        return "it is compressed by bzip2 in several streams, of which Flink reads the first"
    if not form.packed and file.suffix in _UNPACKED_BY_NAME:
        return f"its name ends in {file.suffix}, but it is not compressed"
    if form.spread:
        return "its JSON objects go over several lines"
    if form.encoding not in CHARSETS or (form.marked and codec(encoding) != "utf-8"):
        return f"it is encoded as {form.encoding.upper()}"
    return ""


def name_oddity(path: Path) -> str:
    """Why Flink cannot read a file or folder of this name; "" if it can."""
    if path.name.startswith((".", "_")):
        return f"Flink skips what is named with {path.name[0]} at the front"
    if "\n" in str(path):
        return "its path has a line feed"
    reason = refusal(path)
    return f"its path has {reason}" if reason else ""


def charset(encoding: str) -> dict[str, str]:
    """The option of Flink's format `raw` for an encoding; none for UTF-8, its default.

    Raises:
        SourceError: Java need not know the encoding, or there is none of this name.
    """
    name = codec(encoding)
    if name not in CHARSETS:
        raise SourceError(
            f"source.encoding is {encoding!r}, which Java may not know: write one of "
            f"{', '.join(CHARSETS)}, or convert the events to UTF-8"
        )
    return {"raw.charset": CHARSETS[name]} if name != "utf-8" else {}


def is_left_alone(file: Path) -> bool:
    """Whether Flink does not read this file of a watched folder, because of its ending."""
    return _ALONE.search(file.name) is not None


def unpack(file: Path, out: Path, encoding: str, target: str = "utf-8") -> None:
    """Write the plain lines of a file; `out` appears at once, or not at all.

    Args:
        encoding: of the file. target: of what is written.

    Raises:
        SourceError: the file cannot be read. OSError: `out` cannot be written.
    """
    part = out.with_name(f".{os.getpid()}.part")
    try:
        with part.open("wb") as text:
            for lines in open_lines(file, encoding):
                text.write("".join(f"{line}\n" for line in lines).encode(target, "replace"))
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def refuse(file: Path, reason: str) -> SourceError:
    """The sentence for a file that a cluster would read wrongly."""
    name = shlex.quote(str(file))
    return SourceError(
        f"Flink cannot read {str(file)!r} as it is: {reason}. Make plain lines of it, and read "
        f"those: millirec lines {name} > events.jsonl"
    )
