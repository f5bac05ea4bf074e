"""Conditions on the fields of an item, for rules and for filters of requests.

In: a text in CEL (https://cel.dev), such as `category == "books" && price < 20`. Out: an
`Expression`, which says of the fields of an item whether the condition holds.

The text is parsed (`tokens`, `parser`), its names and types are checked, and it becomes a function
(`compiler`, `operators`, `functions`). A condition on a field that an item does not have is
unknown, and what is unknown does not hold: neither `price < 20` nor `price != 20` nor
`!(price < 20)` holds for an item without a price, `!has(price) || price < 20` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from udfs.rules.compiler import Compiler, size_of
from udfs.rules.errors import ExpressionError
from udfs.rules.operators import FAILURES
from udfs.rules.parser import parse
from udfs.rules.running import Run
from udfs.rules.types import FILTER, ITEM, Fields

__all__ = ["FILTER", "ITEM", "Expression", "ExpressionError", "compile_expression", "filter_of"]


class Expression:
    """A condition.

    Attributes:
        text: as written. names: the fields that it names.
    """

    def __init__(self, text: str, names: frozenset[str], run: Run) -> None:
        self.text, self.names, self._run = text, names, run

    def test(self, fields: Mapping[str, Any]) -> bool:
        """Whether the condition holds; any thread may ask.

        Args:
            fields: of an item, times in ms since 1970; `now` is the present unless it is among
                them. A field of another type than it should have counts as unknown.
        """
        try:
            return self._run(fields, None) is True
        except FAILURES:
            return False


def compile_expression(text: str, fields: Fields = ITEM) -> Expression:
    """The condition that a text is.

    Args:
        fields: what it may name, with types: `ITEM` for a rule, `FILTER` for a request.

    Raises:
        ExpressionError: a sentence with the place: it is not in CEL, names what does not exist,
            compares what cannot be compared, or is too long or too deep.

    >>> cheap = compile_expression('category == "books" && price < 20')
    >>> cheap.test({"categories": ["books", "new"], "price": 9.5}), cheap.test({"price": 9.5})
    (True, False)
    >>> compile_expression('prise < 20')
    Traceback (most recent call last):
    udfs.rules.errors.ExpressionError: at character 1: there is no field prise: did you mean price?
    """
    root = parse(text)
    compiler = Compiler(fields, size_of(root))
    run = compiler.condition(root).run
    return Expression(text, frozenset(compiler.names), run)


@lru_cache(maxsize=1000)
def filter_of(text: str) -> Expression:
    """The condition of a request's filter; the latest thousand are kept.

    Raises:
        ExpressionError: as of `compile_expression`.
    """
    return compile_expression(text, FILTER)
