"""What a file is, judging by its first 64 KiB: text of some encoding and form, or something else.

In: bytes, decompressed. Out: a `Look`, from which `flink_app.data.validate.suggest` finds options.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, NamedTuple

import msgspec

from udfs.events.items.row_changes import is_change
from udfs.events.names import roles
from udfs.events.text_files import byte_order_mark

DELIMITERS = ",", "\t", ";", "|", "::"
"""What may separate two cells, the likelier one first."""

CHANGES = "changes of a database's rows, as Debezium writes them"
"""What such JSON is called."""

Form = Literal["json", "csv", "binary", "empty"]

_TABLE = (
    "python -c \"import pandas; pandas.read_{0}(r'{{path}}').to_csv('events.csv', index=False)\""
)
_TEXT_OF_SQL = "save a table as CSV with sqlite3 -header -csv {path} 'SELECT * FROM events'"
# The first bytes of files that are not text: what they are, what to do; {path} is the file.
_BINARY: tuple[tuple[bytes, str, str], ...] = (
    (b"PAR1", "a Parquet file", f"save it as CSV: {_TABLE.format('parquet')}"),
    (b"ORC", "an ORC file", f"save it as CSV: {_TABLE.format('orc')}"),
    (b"ARROW1", "an Arrow file", f"save it as CSV: {_TABLE.format('feather')}"),
    (b"Obj\x01", "an Avro file", "save it as JSON lines with avro-tools tojson {path}"),
    (b"SQLite format 3\0", "an SQLite database", _TEXT_OF_SQL),
    (b"PK\x03\x04", "a zip archive, or a spreadsheet", "unpack it, or save the sheet as CSV"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it: 7z x {path}"),
    (b"Rar!", "a RAR archive", "unpack it: unrar x {path}"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet of Excel 97", "save the sheet as CSV"),
    (b"%PDF", "a PDF file", "export the events from where they are kept as CSV or JSON lines"),
    (b"\x89HDF", "an HDF5 file", f"save it as CSV: {_TABLE.format('hdf')}"),
    (b"\x93NUMPY", "a NumPy array", "save it with numpy.savetxt, one event a line"),
    (b"\x04\x22\x4d\x18", "an lz4 file", "unpack it: unlz4 {path}"),
    (b"\x1f\x9d", "a file of compress", "unpack it: gunzip {path}"),
    (b"LZIP", "an lzip file", "unpack it: lzip -d {path}"),
    (b"\xff\x06\x00\x00sNaPpY", "a snappy file", "unpack it: snzip -d {path}"),
    (b"\x80", "a pickle, which can run code when it is opened", "ask its owner for CSV or JSON"),
)
_SEPARATOR = re.compile('\ufeff?"?sep=.{1,2}"?', re.IGNORECASE)
"""A line for Excel above a header, which says what separates the cells."""
_NUMERIC = re.compile(r"\s*[+-]?[.,]?\d")  # a number, or a time
_PYTHON = re.compile(r"\[?\s*\{\s*'")


class Look(NamedTuple):
    """What a file seems to be.

    Attributes:
        kind: a noun phrase for people, such as "CSV" or "a Parquet file". form: how to read it.
        encoding: Python's name of it; "" if the text is UTF-8.
        lines: the whole lines among these bytes, without blank ones.
        cure: what to do with a file that is not text; "" otherwise.
    """

    kind: str
    form: Form
    encoding: str = ""
    lines: tuple[str, ...] = ()
    cure: str = ""


def look(head: bytes) -> Look:
    r"""What the file is that begins with these bytes.

    >>> look('user;item\nJosé;mug\n'.encode("latin-1"))[:3]
    ('CSV in the encoding latin-1', 'csv', 'latin-1')
    >>> look(b'PAR1\x15\x04').kind
    'a Parquet file'
    """
    for magic, kind, cure in _BINARY:
        if head.startswith(magic):
            return Look(kind, "binary", cure=cure)
    if head[257:262] == b"ustar":
        return Look("a tar archive", "binary", cure="unpack it: tar xf {path}")
    encoding = encoding_of(head)
    text = decoded(head, encoding or "utf-8")
    lines = tuple(line.rstrip("\r") for line in text.split("\n"))
    if len(lines) > 100:
        lines = lines[:-1]  # the last one may be cut
    lines = tuple(line for line in lines if line.strip() and not _SEPARATOR.fullmatch(line))
    if not lines:
        return Look("empty", "empty")
    first = lines[0].lstrip()
    if first.startswith("<"):
        cure = "export the events from where they are kept as CSV or JSON lines"
        return Look("HTML or XML", "binary", cure=cure)
    if len(lines) == 1 and first.rstrip("\r").count("\r") > 1:
        cure = "write line feeds instead: tr '\\r' '\\n' < {path} > events.csv"
        return Look("text whose lines end in carriage returns alone", "binary", cure=cure)
    if _PYTHON.match(first):
        cure = "write them with json.dumps, one a line"
        return Look("Python's own text of dicts, which is no JSON", "binary", cure=cure)
    kind, form = _form(first)
    if form == "csv" and not delimiters(lines):
        kind = "text without delimiters"
    inside = f" in the encoding {encoding}" if encoding else ""
    return Look(f"{kind}{inside}", form, encoding, lines)


def _form(first: str) -> tuple[str, Form]:
    if first.startswith("["):
        return "a JSON array", "json"
    if first.startswith("{"):
        return CHANGES if _is_change(first) else "JSON", "json"
    return "CSV", "csv"


def _is_change(line: str) -> bool:
    with suppress(msgspec.DecodeError):
        found = msgspec.json.decode(line)
        return isinstance(found, dict) and is_change(found)
    return False


def encoding_of(head: bytes) -> str:
    r"""Python's name of the encoding; "" for UTF-8 without a byte order mark, or plain ASCII.

    >>> [encoding_of(text) for text in ("é".encode(), "é, ü".encode("latin-1"), b"a\0b\0")]
    ['', 'latin-1', 'utf-16-le']
    """
    _, name = byte_order_mark(head)
    if name:  # of the decoders that take the mark for one
        return "utf-8-sig" if name == "utf-8" else name.removesuffix("-le").removesuffix("-be")
    if len(head) > 1 and head.count(0):
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > 0.3 * len(head[::2]) and min(even, odd) < 0.1 * len(head[::2]):
            return "utf-16-be" if even > odd else "utf-16-le"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        # Windows writes quotes and dashes where latin-1 has control characters.
        return "cp1252" if re.search(rb"[\x80-\x9f]", head) else "latin-1"
    return ""


def decoded(head: bytes, encoding: str) -> str:
    """The text, without a character that the last bytes have only a part of."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(head)


def delimiters(lines: Sequence[str]) -> list[str]:
    r"""What may separate the cells, the likeliest first: what occurs equally often on most lines.

    >>> delimiters(["a;b;1,5", "c;d;2,5", "e;f;3"])
    [';', ',']
    """
    found = []
    for place, delimiter in enumerate(DELIMITERS):
        counts = Counter(line.count(delimiter) for line in lines)
        count, times = counts.most_common(1)[0] if counts else (0, 0)
        if count:
            found.append((-times, place, delimiter))
        elif sum(counts.values()) > counts[0]:
            found.append((-(sum(counts.values()) - counts[0]) // 2, place, delimiter))
    return [delimiter for *_, delimiter in sorted(found)]


def is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of some rows of cells seems to be the names of the columns: none of its
    cells begins like a number, and either all others of a column do, or at least two cells are
    names, in any language, that are not below them.

    >>> is_header([["x", "y"], ["ann", "3"]]), is_header([["Kunde", "Artikel"], ["ann", "mug"]])
    (True, True)
    >>> is_header([["ann", "view"], ["bob", "view"]]), is_header([["ann", "2"], ["bob", "3"]])
    (False, False)
    """
    first, *others = [[cell.strip() for cell in row] for row in rows]
    others = [row for row in others if len(row) == len(first)]
    if not others or len(first) < 2 or any(map(_NUMERIC.match, first)):
        return False
    named = set(roles(first, abroad=True).values())
    known = 0
    for name, *column in zip(first, *others, strict=True):
        cells = [cell for cell in column if cell]
        if name and cells and all(map(_NUMERIC.match, cells)):
            return True
        known += name in named and name not in cells
    return known > 1
