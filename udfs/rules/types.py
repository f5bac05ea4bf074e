"""The types of what stands in an expression, and the fields that an expression can name.

In: nothing. Out: `Type`s; `ITEM`, the fields of an item, for rules; `FILTER`, these and `now`, for
filters of requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Type(NamedTuple):
    """A type: of what sort, and for a list of what sort its elements are."""

    sort: str
    of: str = ""

    def __str__(self) -> str:
        if self.sort == "list":
            return "a list" if self.of == "any" else f"a list of {self.of}s"
        return _NAMES[self.sort]

    @property
    def element(self) -> Type:
        """The type of a list's elements."""
        return Type(self.of)

    @property
    def is_number(self) -> bool:
        """Whether it is int or double."""
        return self.sort in ("int", "double")


_NAMES = {
    "string": "a text",
    "int": "a whole number",
    "double": "a number",
    "bool": "true or false",
    "timestamp": "a time",
    "duration": "a duration",
    "map": "a table of attributes",
    "any": "an attribute",
}

STRING, INT, DOUBLE, BOOL = Type("string"), Type("int"), Type("double"), Type("bool")
TIMESTAMP, DURATION = Type("timestamp"), Type("duration")
"""Values of both are milliseconds, since 1970 or long."""
MAP, ANY = Type("map"), Type("any")
"""`attributes`, and one of them: a text, a number, true or false, or a list of texts."""


def list_of(element: Type) -> Type:
    """The type of a list."""
    return Type("list", element.sort)


Fields = Mapping[str, Type]
"""The fields that an expression can name, with their types."""

ITEM: Fields = {
    "item": STRING,
    "title": STRING,
    "text": STRING,
    "category": STRING,
    "categories": list_of(STRING),
    "tags": list_of(STRING),
    "price": DOUBLE,
    "currency": STRING,
    "provider": STRING,
    "brand": STRING,
    "image": STRING,
    "available": BOOL,
    "hidden": BOOL,
    "published": TIMESTAMP,
    "expires": TIMESTAMP,
    "attributes": MAP,
}
"""The fields of an item; `category` is the first of its categories, `brand` its provider."""

FILTER: Fields = {**ITEM, "now": TIMESTAMP}
"""The same, and the time of the request."""

DEFAULTS: Mapping[str, Any] = {
    "available": True,
    "hidden": False,
    "categories": (),
    "tags": (),
    "attributes": {},
}
"""What an item has that does not say otherwise; any other field that it lacks is unknown."""


def unified(one: Type, other: Type) -> Type | None:
    """The type that values of both have; None if there is none.

    >>> unified(INT, DOUBLE) == DOUBLE, unified(INT, STRING)
    (True, None)
    """
    if one == other:
        return one
    if one.is_number and other.is_number:
        return DOUBLE
    if ANY in (one, other) and not {"map", "timestamp", "duration"} & {one.sort, other.sort}:
        return ANY
    if one.sort == other.sort == "list":
        within = unified(one.element, other.element)
        return within and list_of(within)
    return None
