"""Ids and titles that come from outside, made safe for a terminal.

In: any `str`. Out: one that cannot move the cursor, change the window or reverse the direction
of reading.
"""

from __future__ import annotations

_JOINERS = "\u200c\u200d"  # within words and emoji


def printable(text: str) -> str:
    r"""The text with control and other invisible characters written as escapes.

    >>> print(printable("a\x1b[2J b\u202ec é\n"))
    a\x1b[2J b\u202ec é\n
    """
    return "".join(
        letter
        if letter.isprintable() or letter in _JOINERS
        else letter.encode("unicode_escape").decode()
        for letter in text
    )
