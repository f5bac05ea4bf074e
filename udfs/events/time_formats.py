"""Times in a form that the configuration names: `source.time_format`.

In: a form as `datetime.strptime` takes it, and texts. Out: milliseconds, a complaint about a form
that cannot work, or the form to set for a text that is not understood.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from udfs.errors import SourceError
from udfs.events.time_texts import LONGEST, NAN, moment_to_ms

_EXAMPLE = "Write it as in Python's strptime, such as %d/%m/%Y %H:%M:%S"
_SAMPLE = datetime(2023, 11, 28, 17, 45, 59, tzinfo=timezone(timedelta(hours=2)))
# 01/05/2024 12:00:00.5 pm
_NUMBERED = re.compile(
    r"(\d\d?)([/.-])(\d\d?)\2(\d{4}|\d\d)(?:(,? +)(\d\d?):\d\d(:\d\d)?(\.\d+|,\d+)?( ?[ap]m)?)?",
    re.ASCII | re.IGNORECASE,
)
_DIGITS = "%Y%m%d%H%M%S"


@lru_cache(maxsize=65_536)
def read_as(text: str, form: str) -> float:
    """Milliseconds since 1970 of a text in this form, NaN if it is not; UTC without %z.

    Cached: texts beyond `LONGEST` must be cut to one character more.

    >>> read_as("01/05/2024 12:00", "%d/%m/%Y %H:%M")
    1714564800000.0
    """
    if len(text) > LONGEST:
        return NAN
    try:
        return moment_to_ms(datetime.strptime(text, form))
    except (ValueError, OverflowError):
        return NAN


def number_as(number: float, form: str) -> float:
    """Milliseconds of a number whose digits have this form, such as 20240501; NaN if they have not.

    >>> number_as(20240501, "%Y%m%d"), number_as(1714557600123, "%Y%m%d")
    (1714521600000.0, nan)
    """
    if not -1e15 < number < 1e15 or number != int(number):
        return NAN
    digits = str(int(number))
    try:  # strptime takes fewer digits than strftime writes, and so would read any number
        exact = datetime.strptime(digits, form).strftime(form) == digits
    except (ValueError, OverflowError):
        exact = False
    return read_as(digits, form) if exact else NAN


def check_form(form: str) -> None:
    """See that times can be read by `form`.

    Raises:
        SourceError: they cannot, with what to write instead.
    """
    told = f"source.time_format is {form!r}"
    if "%Z" in form.replace("%%", ""):
        raise SourceError(
            f"{told}: %Z reads no offset. Write %z for one such as +0200; where the texts end in "
            "UTC or GMT, write that word itself"
        )
    try:
        found = datetime.strptime(_SAMPLE.strftime(form), form)
    except (ValueError, OverflowError, re.error) as error:
        raise SourceError(f"{told}, which cannot be read: {error}. {_EXAMPLE}") from None
    if found.date() != _SAMPLE.date():
        raise SourceError(f"{told}, which does not name the year, month and day. {_EXAMPLE}")


def forms_of(text: str) -> list[str]:
    """The forms that would read a text: two where day and month may be exchanged, [] if unknown.

    >>> forms_of("01/05/2024 9:30 PM"), forms_of("20240501")
    (['%d/%m/%Y %I:%M %p', '%m/%d/%Y %I:%M %p'], ['%Y%m%d'])
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) in (8, 10, 12, 14):
        possible = [_DIGITS[: len(text) - 2]]
    elif found := _NUMBERED.fullmatch(text):
        _, mark, _, year, gap, hour, seconds, fraction, half = found.groups()
        rest = f"%{'Y' if len(year) == 4 else 'y'}"
        if hour:
            rest += f"{gap}%{'I' if half else 'H'}:%M" + (":%S" if seconds else "")
            rest += f"{fraction[0]}%f" if fraction else ""
            rest += f"{' ' * half.startswith(' ')}%p" if half else ""
        possible = [f"%d{mark}%m{mark}{rest}", f"%m{mark}%d{mark}{rest}"]
    else:
        return []
    return [form for form in possible if read_as(text, form) == read_as(text, form)]
