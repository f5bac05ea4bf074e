"""What the signs of an expression mean: comparisons and arithmetic, by the types of both sides.

In: a sign and two types. Out: the function of two values, and the type of its result. A function
raises one of `FAILURES` where the result is unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from udfs.rules.tokens import LARGEST
from udfs.rules.types import ANY, BOOL, DOUBLE, DURATION, INT, STRING, TIMESTAMP, Type, unified

Function = Callable[[Any, Any], Any]

FAILURES = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError)
"""What a part of an expression raises that is unknown: a missing field, a field of another type
than is needed, a division by zero, a list or a text that is too long."""

LONGEST_TEXT = 10_000
"""The maximum length of texts joined by +, in characters."""

_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_ORDERED = ("string", "int", "double", "timestamp", "duration")
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul}
_TIMES = {
    ("+", TIMESTAMP, DURATION): TIMESTAMP,
    ("+", DURATION, TIMESTAMP): TIMESTAMP,
    ("+", DURATION, DURATION): DURATION,
    ("-", TIMESTAMP, TIMESTAMP): DURATION,
    ("-", TIMESTAMP, DURATION): TIMESTAMP,
    ("-", DURATION, DURATION): DURATION,
}


def find(sign: str, left: Type, right: Type) -> tuple[Type, Function] | None:
    """The result's type, and the function; None if the sign does not go between these types.

    >>> kind, less = find("<", INT, DOUBLE)
    >>> str(kind), less(1, 1.5)
    ('true or false', True)
    >>> find("<", STRING, DOUBLE) is None
    True
    """
    if sign == "in":
        return _membership(left, right)
    both = unified(left, right)
    loose = ANY in (left, right)
    if sign in ("==", "!="):
        if both is None:
            return None
        exact = both.is_number or both.sort in ("string", "timestamp", "duration")
        equal = operator.eq if exact else same
        return BOOL, equal if sign == "==" else lambda a, b: not equal(a, b)
    if sign in _ORDER:
        if both is None or (both.sort not in _ORDERED and not loose):
            return None
        compare = _ORDER[sign]
        return BOOL, _checked(compare) if loose else compare
    return _arithmetic(sign, left, right, both)


def _membership(left: Type, right: Type) -> tuple[Type, Function] | None:
    if right.sort == "map" and left.sort in ("string", "any"):
        return BOOL, lambda key, table: key in table
    if right.sort == "list":
        if unified(left, right.element) is None:
            return None
        exact = left == right.element == STRING
        return BOOL, (lambda value, those: value in those) if exact else _among
    return (BOOL, _among) if right == ANY and left in (STRING, ANY) else None


def _among(value: object, those: Any) -> bool:
    if not isinstance(those, (list, tuple, frozenset)):
        raise TypeError(those)
    return any(same(value, one) for one in those)


def same(one: object, other: object) -> bool:
    """Whether both are equal; true is not equal to 1, and values of different types are not equal.

    >>> same(1, 1.0), same(True, 1), same("1", 1), same(["a"], ("a",))
    (True, False, False, True)
    """
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _checked(function: Function) -> Function:
    """The function, for two numbers or two texts only."""

    def call(one: Any, other: Any) -> Any:
        for kind in (str, (int, float)):
            if isinstance(one, kind) and isinstance(other, kind):
                if isinstance(one, bool) or isinstance(other, bool):
                    break
                return function(one, other)
        raise TypeError(one, other)

    return call


def _arithmetic(
    sign: str, left: Type, right: Type, both: Type | None
) -> tuple[Type, Function] | None:
    if result := _TIMES.get((sign, left, right)):
        return result, _ARITHMETIC[sign]
    if sign == "%":
        return (INT, _rest) if left == right == INT else None
    if both is None:
        return None
    function = _quotient if sign == "/" else _ARITHMETIC[sign]
    if sign == "+" and both in (STRING, ANY):
        return both, _joined if both == STRING else _checked(_joined)
    if both == ANY and {left.sort, right.sort} <= {"any", "int", "double"}:
        return DOUBLE, _checked(lambda a, b: function(float(a), float(b)))
    if both == INT:
        return INT, lambda a, b: _bounded(function(a, b))
    return (DOUBLE, function) if both == DOUBLE else None


def _joined(one: Any, other: Any) -> Any:
    if isinstance(one, str) and len(one) + len(other) > LONGEST_TEXT:
        raise ValueError(len(one) + len(other))
    return one + other


def _bounded(number: int) -> int:
    if abs(number) > LARGEST:
        raise OverflowError(number)
    return number


def _quotient(one: Any, other: Any) -> Any:
    """One through the other; that of whole numbers is cut off towards 0."""
    if isinstance(one, int) and isinstance(other, int):
        whole = abs(one) // abs(other)
        return whole if (one < 0) == (other < 0) else -whole
    return one / other


def _rest(one: int, other: int) -> int:
    return one - other * int(_quotient(one, other))
