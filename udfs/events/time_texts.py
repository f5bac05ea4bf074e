"""Times written as text, as exports write them: the slow but thorough half of `udfs.events.times`.

In: a text without blanks around it. Out: milliseconds since 1970-01-01 UTC as a float, NaN if it is
no time, or a time that two countries would read differently.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache

import msgspec

NAN = float("nan")
LONGEST = 100
"""Characters of a time; what is longer is none, and need not fill a cache."""

_NAMES = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_MONTHS = {name[:short]: f"{n}" for n, name in enumerate(_NAMES, 1) for short in (3, 4, 9)}
# Hours and minutes, with or without colons; seconds and their fraction may be left out.
_CLOCK = (
    r"(?P<hour>\d\d|\d(?=:)):?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?)?"
)
# Z, UTC, +02, -0700, +05:30, GMT+2; the name after an offset says no more than the offset.
_ZONE = (
    r"(?:(?:UTC|GMT|UT|Z)?(?P<sign>[+-])(?P<hours>\d\d?)(?::?(?P<minutes>\d\d))?|UTC|GMT|UT|Z)"
    r"(?: ?(?:[A-Z]{2,5}|\[[^\]]+\]|\([^)]*\)))?"
)
_AFTER = rf"(?: *{_ZONE})?"
_WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_FORMS = [
    re.compile(form, re.ASCII | re.IGNORECASE)
    for form in (
        # ISO 8601, basic or extended: https://www.rfc-editor.org/rfc/rfc3339#appendix-A; also with
        # a blank for the T, as PostgreSQL and BigQuery export, and with / or . in the date.
        r"(?P<year>\d{4})(?:(?P<sep>[-/.])(?P<month>\d\d?)(?P=sep)(?P<day>\d\d?)"
        r"|(?P<month2>\d\d)(?P<day2>\d\d)(?=\D))(?![+-]\d\d?$)"  # 2024-05-01-07: an hour, a zone?
        rf"(?:(?:T| +)(?:{_CLOCK}|(?P<hour2>\d\d)))?{_AFTER}",
        # RFC 5322, HTTP and Apache's logs: Wed, 01 May 2024 12:00:00 GMT
        rf"{_WEEKDAY}(?P<day>\d\d?)[ /-]{_MONTH}[ /-](?P<year>\d{{4}})"
        rf"(?:(?:,? +|:){_CLOCK}{_AFTER})?",
        # JavaScript's Date: Wed May 01 2024 12:00:00 GMT+0200 (CEST)
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d\d?),? +(?P<year>\d{{4}})(?: +{_CLOCK}{_AFTER})?",
        # C's ctime, Java's Date: Wed May 01 12:00:00 -0700 2024
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d\d?) +{_CLOCK}{_AFTER} +(?P<year>\d{{4}})",
    )
]


@lru_cache(maxsize=4096)
def text_to_ms(text: str) -> float:
    """Milliseconds of a date and time, UTC if it names no zone.

    Cached, because coarse times recur: texts beyond `LONGEST` must be cut to one character more.

    >>> text_to_ms("2024-05-01 12:00:00.5+02") == text_to_ms("Wed, 01 May 2024 10:00:00.5 GMT")
    True
    >>> text_to_ms("01/05/2024")
    nan
    """
    if text[16:17] == ":":
        try:
            return moment_to_ms(msgspec.convert(text, datetime))  # fast, but RFC 3339 only
        except msgspec.ValidationError:
            pass
    for form in _FORMS if len(text) <= LONGEST else ():
        if found := form.fullmatch(text):
            try:
                return moment_to_ms(msgspec.convert(_rewritten(found.groupdict("")), datetime))
            except msgspec.ValidationError:
                return NAN
    return NAN


def moment_to_ms(moment: datetime) -> float:
    """Whole milliseconds since 1970; without a zone it is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return float(round(moment.timestamp() * 1000))


def _rewritten(part: dict[str, str]) -> str:
    """The parts of a time in the form of RFC 3339."""
    month = part["month"] or part["month2"]
    month = month if month.isdigit() else _MONTHS.get(month.lower(), "")
    day = part["day"] or part["day2"]
    hour = part["hour"] or part.get("hour2") or "0"
    clock = (
        f"{hour:0>2}:{part['minute'] or '00'}:{part['second'] or '00'}.{part['fraction'] or '0'}"
    )
    zone = "Z"
    if part["sign"]:
        zone = f"{part['sign']}{part['hours']:0>2}:{part['minutes'] or '00'}"
    return f"{part['year']}-{month:0>2}-{day:0>2}T{clock}{zone}"
