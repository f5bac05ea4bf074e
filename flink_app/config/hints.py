"""The end of a sentence about an unknown word in the configuration.

In: the word, and those that are known. Out: a question or an instruction.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def hint(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """The most similar known word as a question; if none is similar, what to do: `otherwise`, or
    choose one of all.

    >>> hint("usr", ["user", "item"]), hint("x", ["user", "item"])
    ('did you mean user?', 'choose one of user, item.')
    """
    names = list(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean {near[0]}?" if near else otherwise or f"choose one of {', '.join(names)}."
