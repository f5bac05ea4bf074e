"""The first lines of a file, read apart from the stream of its lines: where a CSV has its header.

In: the path of a file, which may be compressed. Out: a few lines of text.
"""

from __future__ import annotations

import stat
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

from udfs.errors import SourceError
from udfs.events.text_files import open_lines

_MOST = 1 << 20
"""The maximum characters that are read, so that a file without line ends is not read whole."""
MOST_LINES = 20
"""How many lines are read: exports of spreadsheets and reports have some before the header."""


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
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    with closing(open_lines(Path(path), encoding, most=_MOST)) as lines:
        stripped = (line.strip("\ufeff\r") for line in chain.from_iterable(lines))
        return list(islice((line for line in stripped if line.strip()), MOST_LINES))
