"""The words of an expression: the first step of what `expressions` does.

In: the text of an expression. Out: a list of `Token`s, each with its place.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from udfs.rules.errors import ExpressionError

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<double>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<int>0[xX][0-9a-fA-F]+|\d+)
    |(?P<string>[rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>&&|\|\||==|!=|<=|>=|[-+*/%<>!?:.,()\[\]])
    |(?P<end>\Z)""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    **{sign: sign for sign in "\\\"'`?"},
}
_INSTEAD = {"=": "==", "&": "&&", "|": "||", "“": '"', "”": '"', "‘": "'", "’": "'"}
_WORDS = {"and": "&&", "or": "||", "not": "!"}
LARGEST = 2**63 - 1
"""The largest whole number."""


class Token(NamedTuple):
    """One word: double, int, string, name, sign or end; `value` is a number, a text or the word."""

    kind: str
    value: object
    at: int


def tokens(text: str) -> list[Token]:
    """The words of an expression, the last one of kind end.

    Raises:
        ExpressionError: a character that belongs to none, a text that does not end, a number that
            is too large.

    >>> [token.value for token in tokens('price < 20.5 // cheap')]
    ['price', '<', 20.5, '']
    """
    found: list[Token] = []
    at = 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(_unknown(text[at]), at)
        kind, word = str(match.lastgroup), match.group()
        if kind != "space":
            found.append(Token(kind, _value(kind, word, at), at))
        at = match.end()
    return found


def _unknown(sign: str) -> str:
    if sign in _INSTEAD:
        return f"{sign} has no meaning: write {_INSTEAD[sign]}."
    if sign in "\"'":
        return f"the text that begins here does not end: write {sign} after it."
    if sign in "{}":
        return "maps and messages cannot be written in an expression: leave the brace out."
    return f"the character {sign!r} has no meaning here: leave it out, or put it in quotes."


def _value(kind: str, word: str, at: int) -> object:
    if kind == "double":
        return float(word)
    if kind == "int":
        number = int(word, 16 if word[:2].lower() == "0x" else 10)
        if number > LARGEST:
            raise ExpressionError(f"{word} is too large: write it with a decimal point.", at)
        return number
    if kind == "string":
        if word[0] in "rR":
            return word[2:-1]
        return _ESCAPE.sub(lambda escape: _character(escape, at), word[1:-1])
    if word in _WORDS:
        raise ExpressionError(f"{word} is not an operator here: write {_WORDS[word]}.", at)
    return word


def _character(escape: re.Match[str], at: int) -> str:
    *codes, plain = escape.groups()
    if plain is not None:
        if plain in _ESCAPED:
            return _ESCAPED[plain]
        raise ExpressionError(f"\\{plain} stands for no character: write \\\\ for a backslash.", at)
    number = int(next(code for code in codes if code is not None), 16)
    if number > 0x10FFFF or 0xD800 <= number < 0xE000:
        raise ExpressionError(f"{escape.group()} stands for no character: correct its code.", at)
    return chr(number)
