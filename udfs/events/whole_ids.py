"""Ids that are whole numbers, in whatever notation a spreadsheet or a data frame left them.

In: ids as read from lines, where `events.ids` is "integers". Out: their digits, or what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation

from udfs.events.times import MISSING, NUMBER

GivenId = str | int | float | None

EXACT = 2**53
"""From here on, floats do not distinguish all whole numbers."""

SESSION = "session:"
"""How the id of a user begins that is a session, which is no number; see `udfs.events.sessions`."""
_DIGITS = re.compile("[+-]?[0-9]+")


class NotWhole(ValueError):
    """The id is a number that cannot be restored, or no number; `number` says which."""

    def __init__(self, why: str, *, number: bool) -> None:
        super().__init__(why)
        self.number = number


def digits(value: GivenId) -> str:
    """The digits of a whole number; "" for what stands for a missing one.

    A number with a point or an exponent came through a float, so that it is exact below `EXACT`
    only. Leading zeros are dropped, since they are lost in some of the files already.

    Raises:
        NotWhole: it is not a whole number, or has lost digits.

    >>> [digits(one) for one in (1001, 1001.0, " 1001 ", "1001.0", "1.001E+3", "01001", "NaN")]
    ['1001', '1001', '1001', '1001', '1001', '1001', '']
    """
    if value is None or value != value:
        return ""
    if isinstance(value, int):
        return str(value)
    text = value.strip() if isinstance(value, str) else repr(value)
    if _DIGITS.fullmatch(text):
        number = text.lstrip("+-").lstrip("0") or "0"
        return f"-{number}" if text[0] == "-" and number != "0" else number
    if text.lower() in MISSING or not text:
        return ""
    if not NUMBER.fullmatch(text) and isinstance(value, str):
        raise NotWhole("is not a whole number, which events.ids asks for", number=False)
    size = float(text)
    if abs(size) >= EXACT:
        raise NotWhole(
            "has lost digits: numbers with a point or an exponent are exact below 2^53 only; "
            "export ids as text",
            number=True,
        )
    if not size.is_integer() or not _is(text, int(size)):
        raise NotWhole("has a fraction, and events.ids asks for whole numbers", number=True)
    return str(int(size))


def _is(text: str, number: int) -> bool:
    """Whether a decimal is exactly this number: a float of it may be rounded."""
    try:
        return Decimal(text) == number
    except InvalidOperation:  # an exponent of twenty digits
        return False


def stored(ids: str) -> Callable[[str], str]:
    """How an id in a request is written in Redis, given `events.ids`.

    >>> stored("integers")("1001.0"), stored("integers")("ann"), stored("text")("1001.0")
    ('1001', 'ann', '1001.0')
    """
    return _stored if ids == "integers" else str


def _stored(text: str) -> str:
    if text.startswith(SESSION):
        return text
    try:
        return digits(text) or text
    except NotWhole:
        return text


def whole(
    column: Sequence[GivenId],
    field: str,
    problems: dict[int, tuple[str, str]],
    shown: Callable[[object], str],
    *,
    required: bool,
) -> list[str]:
    """The digits of m ids, "" for those that are missing or wrong; see `raw_columns.clean_ids`.

    An id that is not required, that of an event, may also be any text.
    """
    known: dict[str, str | NotWhole] = {}
    texts: list[str] = []
    for row, value in enumerate(column):
        found = known.get(value) if isinstance(value, str) else None
        if found is None:
            try:
                found = digits(value)
            except NotWhole as error:
                free = not required or (field != "item" and str(value).startswith(SESSION))
                found = error if not free or error.number else str(value)
            if isinstance(value, str):
                known[value] = found
        if isinstance(found, NotWhole):
            problems.setdefault(row, ("wrong_type", f"the {field} {shown(value)} {found}"))
        elif not found and required and value not in ("", None):
            detail = f"the {field} {shown(value)} stands for a missing one"
            problems.setdefault(row, (f"empty_{field}", detail))
        texts.append("" if isinstance(found, NotWhole) else found)
    return texts
