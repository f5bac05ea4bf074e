"""The structure of an expression: the second step of what `expressions` does.

In: the text of an expression. Out: a tree of `Node`s, of bounded size and depth.
"""

from __future__ import annotations

from typing import NamedTuple

from udfs.rules.errors import ExpressionError
from udfs.rules.tokens import Token, tokens

LONGEST = 10_000
"""The maximum length of an expression, in characters: a list of 500 ids fits."""
DEEPEST = 32
"""How deep parts may lie within each other; longer chains of && and || count as one."""

_LEVELS = (("||",), ("&&",), ("<", "<=", ">", ">=", "==", "!=", "in"), ("+", "-"), ("*", "/", "%"))
_CONSTANTS = {"true": True, "false": False}


class Node(NamedTuple):
    """A part of an expression.

    Attributes:
        kind: constant, name, select (`value` is the name), index, call (`value` is the function),
            method (the same, what it is called on comes first), list, binary, unary (`value` is
            the sign), many (&& or ||, of two or more parts) or choice.
        value, at: see there, and where it begins, in characters from 0.
        parts: what it consists of. depth: how deep it is.
    """

    kind: str
    value: object
    at: int
    parts: tuple[Node, ...] = ()
    depth: int = 1


def parse(text: str) -> Node:
    """The structure of an expression, without a look at what names mean.

    Raises:
        ExpressionError: it is empty, too long, too deep, or no CEL expression.

    >>> parse("price < 20").value
    '<'
    """
    if len(text) > LONGEST:
        raise ExpressionError(
            f"the expression has {len(text)} characters: it may have {LONGEST:,} at most.", LONGEST
        )
    return _Parser(tokens(text)).whole()


class _Parser:
    def __init__(self, words: list[Token]) -> None:
        self._words, self._next, self._depth = words, 0, 0

    def whole(self) -> Node:
        if self._words[0].kind == "end":
            raise ExpressionError("the expression is empty: write a condition.", 0)
        node = self._expression()
        if self._words[self._next].kind != "end":
            self._fail("an operator or the end")
        return node

    def _take(self, *signs: str) -> Token | None:
        word = self._words[self._next]
        if word.kind in ("sign", "name") and word.value in signs:
            self._next += 1
            return word
        return None

    def _need(self, sign: str) -> None:
        if not self._take(sign):
            self._fail(sign)

    def _fail(self, wanted: str) -> None:
        word = self._words[self._next]
        found = "the expression ends" if word.kind == "end" else f"there is {word.value!r}"
        raise ExpressionError(f"{found} where {wanted} was expected.", word.at)

    def _node(self, kind: str, value: object, at: int, *parts: Node) -> Node:
        depth = 1 + max((part.depth for part in parts), default=0)
        if depth > DEEPEST:
            self._too_deep(at)
        return Node(kind, value, at, parts, depth)

    def _too_deep(self, at: int) -> None:
        raise ExpressionError(
            f"the expression is nested more than {DEEPEST} deep: make several of it.", at
        )

    def _expression(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            self._too_deep(self._words[self._next].at)
        node = self._level(0)
        if sign := self._take("?"):
            yes = self._level(0)
            self._need(":")
            node = self._node("choice", "?", sign.at, node, yes, self._expression())
        self._depth -= 1
        return node

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        node = self._level(level + 1)
        if level < 2:
            parts, first = [node], self._words[self._next]
            while self._take(*_LEVELS[level]):
                parts.append(self._level(level + 1))
            return node if len(parts) == 1 else self._node("many", first.value, first.at, *parts)
        while sign := self._take(*_LEVELS[level]):
            node = self._node("binary", sign.value, sign.at, node, self._level(level + 1))
        return node

    def _unary(self) -> Node:
        signs = []
        while sign := self._take("!", "-"):
            signs.append(sign)
        node = self._member()
        for sign in reversed(signs):
            node = self._node("unary", sign.value, sign.at, node)
        return node

    def _member(self) -> Node:
        node = self._primary()
        while True:
            if self._take("."):
                word = self._words[self._next]
                if word.kind != "name":
                    self._fail("the name of a field or a function")
                self._next += 1
                if self._take("("):
                    node = self._node("method", word.value, word.at, node, *self._list(")"))
                else:
                    node = self._node("select", word.value, word.at, node)
            elif sign := self._take("["):
                node = self._node("index", "[", sign.at, node, self._expression())
                self._need("]")
            else:
                return node

    def _primary(self) -> Node:
        word = self._words[self._next]
        self._next += word.kind != "end"
        if word.kind in ("int", "double", "string"):
            return Node("constant", word.value, word.at)
        if word.kind == "name" and word.value in _CONSTANTS:
            return Node("constant", _CONSTANTS[str(word.value)], word.at)
        if word.kind == "name" and word.value != "in":
            if self._take("("):
                return self._node("call", word.value, word.at, *self._list(")"))
            return Node("name", word.value, word.at)
        if word.value == "(":
            node = self._expression()
            self._need(")")
            return node
        if word.value == "[":
            return self._node("list", "[", word.at, *self._list("]"))
        self._next -= word.kind != "end"
        self._fail("a value")
        raise AssertionError

    def _list(self, end: str) -> list[Node]:
        parts: list[Node] = []
        while not self._take(end):
            if parts:
                self._need(",")
                if end == "]" and self._take(end):  # CEL allows a comma at the end of a list
                    break
            parts.append(self._expression())
        return parts
