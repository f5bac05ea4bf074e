"""The error of an expression: what is wrong with it, and at which character.

In: what the parser or the checker found. Out: `ExpressionError`, whose message is a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from udfs.errors import MillirecError


class ExpressionError(MillirecError):
    """An expression that cannot be used.

    Attributes:
        at: where, in characters from 0.
    """

    def __init__(self, problem: str, at: int) -> None:
        super().__init__(f"at character {at + 1}: {problem}")
        self.at = at


def meant(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the most similar known one, or all of them.

    >>> meant("prise", ["price", "tags"]), meant("xyz", ["tags", "price"])
    ('did you mean price?', 'choose one of price, tags.')
    """
    names = sorted(known)
    near = get_close_matches(word, names, n=1)
    return f"did you mean {near[0]}?" if near else f"choose one of {', '.join(names)}."
