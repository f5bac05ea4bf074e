"""The cells of a line of CSV, between delimiters of one character or more, quoted or not.

In: a line. Out: its cells, `list[str]`; and a line of cells.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable

_STAND_INS = "\x1f\x1e\x1d\x1c\x01\x02\x03"
"""What stands for a delimiter of several characters while the csv module reads a line."""


def cut(line: str, delimiter: str, quote: str) -> list[str]:
    """The cells of a line, which may have a byte order mark, a line end or quotes; [] if a quote
    is not closed, or text follows it.

    >>> cut("a::'b::c'", "::", "'"), cut('12" mix,b', ",", "")
    (['a', 'b::c'], ['12" mix', 'b'])
    """
    line = line.lstrip("\ufeff").rstrip("\r\n")
    if not quote or quote not in line:
        return line.split(delimiter)
    single = delimiter
    if len(delimiter) > 1:  # csv takes one character: one that the line has not
        single = next((mark for mark in _STAND_INS if mark not in line), "")
        if not single:
            return []
        line = line.replace(delimiter, single)
    try:
        cells = next(csv.reader([line], delimiter=single, quotechar=quote, strict=True))
    except (csv.Error, StopIteration):
        return []
    return cells if single == delimiter else [cell.replace(single, delimiter) for cell in cells]


def join(cells: Iterable[str], delimiter: str, quote: str) -> str:
    """A line with these cells, for `cut`.

    >>> join(["a", "b,c"], ",", "'")
    "a,'b,c'"
    """
    marks = [quote, *delimiter, "\r", "\ufeff"] if quote else []
    return delimiter.join(
        f"{quote}{cell.replace(quote, 2 * quote)}{quote}"
        if any(mark in cell for mark in marks)
        else cell
        for cell in cells
    )
