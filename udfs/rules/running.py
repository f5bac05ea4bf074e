"""What the functions of a compiled expression do while they run.

In: the fields of an item, a `Mapping[str, Any]`. Out: values; an exception of `FAILURES` where one
is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from udfs.rules.operators import FAILURES
from udfs.rules.types import DEFAULTS

Run = Callable[[Mapping[str, Any], Any], Any]
"""Takes the fields of an item, and the element that a condition of exists, all and so on is
about."""

NAMED_LIKE = {"category": ("categories", 0), "brand": ("provider", None)}
"""Fields that stand for others: of which, and which of its elements."""


def field_of(name: str) -> Run:
    """What looks up a field; `now` is the present where no time is given."""
    if name == "now":
        return lambda fields, one: fields["now"] if "now" in fields else time.time() * 1000
    if name in DEFAULTS:
        default = DEFAULTS[name]
        return lambda fields, one: fields.get(name, default)
    name, at = NAMED_LIKE.get(name, (name, None))
    if at is not None:
        return lambda fields, one: fields[name][at]
    return lambda fields, one: fields[name]


def element_of(those: Any, at: int) -> Any:
    """An element of a list; none is counted from the end."""
    if not isinstance(those, (list, tuple)) or at < 0:
        raise IndexError(at)
    return those[at]


def truth(value: object) -> bool:
    """A condition's value; a TypeError unless it is true or false."""
    if value is True or value is False:
        return value
    raise TypeError(value)


def decided(tests: Iterable[tuple[Run, Any]], fields: Mapping[str, Any], decides: bool) -> bool:
    """Whether one of the tests, each with its element, is `decides`, which is the result then; if
    none is, but one is unknown, the result is unknown."""
    failure: Exception | None = None
    for test, one in tests:
        try:
            if truth(test(fields, one)) is decides:
                return decides
        except FAILURES as error:
            failure = error
    if failure is not None:
        raise failure
    return not decides
