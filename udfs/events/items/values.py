"""Cleans the values of an item's fields: texts, lists of words, numbers, times and vectors.

In: a value as JSON or a CSV cell has it. Out: the value of the type that `ItemChange` promises,
None for one that says nothing; or `Bad`, with a stable reason and a sentence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from udfs.events.json_problems import kind_of
from udfs.events.raw_columns import has_utf8, shown
from udfs.events.times import MISSING, NUMBER, to_ms

MOST_TEXT = 10_000
"""Characters of a text that are kept; the rest is cut off."""
MOST_TITLE = 1_000
"""Characters that are kept of a title, a provider or a currency."""
MOST_IMAGE = 200_000
"""Characters of an image: an address, or a small image as a data URL."""
MOST_WORDS = 64
"""Categories or tags of an item."""
MOST_WORD = 200
"""UTF-8 bytes of a category or a tag."""
MOST_NUMBERS = 4_096
"""Numbers of a vector."""

_EARLIEST, _LATEST = -62_135_596_800_000, 253_402_300_799_999  # the years 1 to 9999
_YEAR = re.compile(r"[12]\d{3}")
_DAY = re.compile(r"(19|20)(\d\d)(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_NAMES = ("name", "title", "value", "label")
"""Where an object in a list of words has its word."""


class Bad(ValueError):
    """A value that cannot be used; `reason` is a stable code, the text a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def text(value: Any, name: str, most: int = MOST_TEXT) -> str | None:
    """A text without outer blanks, cut to `most` characters; a list of texts becomes one.

    >>> text(" Kettle ", "the title"), text(["a", None, "b"], "the text"), text(300, "the title")
    ('Kettle', 'a b', '300')
    """
    if isinstance(value, list):
        parts = [found for one in value if (found := text(one, name, most))]
        value = " ".join(parts)
    found = word(value, name)
    return found if found is None else found[:most].rstrip() or None


def whole_text(value: Any, name: str, most: int) -> str | None:
    """A text that cannot be cut; the first of a list."""
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, dict):
        value = next((value[key] for key in ("src", "url", "large", "link") if key in value), value)
    found = word(value, name)
    if found and len(found) > most:
        raise Bad("too_large", f"{name} has {len(found):,} characters, {most:,} are allowed")
    return found


def word(value: Any, name: str) -> str | None:
    """A text or a number as text, without outer blanks; None if it is empty."""
    if value is None:
        return None
    if isinstance(value, str):
        if not has_utf8(value):
            raise Bad("not_utf8", f"{name} {shown(value)} has half of a surrogate pair")
        return value.strip() or None
    if isinstance(value, bool | list | dict):
        raise Bad("wrong_type", f"{name} is {kind_of(value)}, not a text")
    if isinstance(value, float) and not math.isfinite(value):
        raise Bad("not_finite", f"{name} is not a finite number")
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value)


def words(value: Any, name: str, split: str = "") -> list[str] | None:
    """Different words in order: of a list, whose elements may be lists, or objects with a name.

    Args:
        split: the characters that lie between the words of a text; "": each text is one word.

    >>> words(["tea", " tea", {"id": 7, "name": "pots"}], "the tags"), words("a > b", "x", ">")
    (['tea', 'pots'], ['a', 'b'])
    """
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = _listed(value)
    given = value if isinstance(value, list) else [value]
    if split:
        marks = re.compile(f"[{re.escape(split)}]")
        given = [marks.split(one) if isinstance(one, str) else one for one in given]
    found = list(dict.fromkeys(_words(given, name, 2)))
    if len(found) > MOST_WORDS:
        raise Bad("too_large", f"{name} are {len(found):,}, {MOST_WORDS} are allowed")
    for one in found:
        if len(one) * 4 > MOST_WORD and (size := len(one.encode())) > MOST_WORD:
            raise Bad(
                "too_large",
                f"{name} have {shown(one)} of {size:,} bytes, {MOST_WORD} are allowed for each",
            )
    return found or None


def _words(values: list[Any], name: str, depth: int) -> Iterator[str]:
    for value in values:
        if isinstance(value, list) and depth:
            yield from _words(value, name, depth - 1)
            continue
        if isinstance(value, dict):
            value = next((value[key] for key in _NAMES if value.get(key) is not None), value)
        if isinstance(value, bool | list | dict):
            raise Bad("wrong_type", f"{name} have {kind_of(value)} among them, not only texts")
        if found := word(value, name):
            yield found


def _listed(value: str) -> Any:
    """A list that a cell holds as JSON, or the cell itself."""
    try:
        found = msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return value
    return found if isinstance(found, list) else value


def vector(value: Any, name: str) -> list[float] | None:
    """Finite numbers; in a cell as a JSON list, or between blanks, commas or semicolons.

    >>> vector("0.5 1", "the vector"), vector([], "the vector")
    ([0.5, 1.0], None)
    """
    if isinstance(value, str):
        listed = _listed(value) if value.lstrip().startswith("[") else value
        value = re.split(r"[\s,;]+", value.strip()) if isinstance(listed, str) else listed
        value = [number(one, name) for one in value if one != ""]
    if value is None or value == []:
        return None
    if not isinstance(value, list):
        raise Bad("wrong_type", f"{name} is {kind_of(value)}, not a list of numbers")
    if len(value) > MOST_NUMBERS:
        raise Bad("too_large", f"{name} has {len(value):,} numbers, {MOST_NUMBERS:,} are allowed")
    if set(map(type, value)) == {float} and all(map(math.isfinite, value)):
        return value
    found = [number(one, name) for one in value]
    if None in found:
        raise Bad("wrong_type", f"{name} has null among its numbers")
    return found  # type: ignore[return-value]


def number(value: Any, name: str) -> float | None:
    """A finite number, None if it is missing; a text must be a number without more around it."""
    if value is None:
        return None
    if isinstance(value, str):
        if not value.strip() or value.strip().lower() in MISSING:
            return None
        if not NUMBER.fullmatch(value.strip()):
            raise Bad("wrong_type", f"{name} {shown(value)} is not a number")
        value = float(value)
    if isinstance(value, bool | list | dict):
        raise Bad("wrong_type", f"{name} is {kind_of(value)}, not a number")
    try:
        found = float(value)
    except OverflowError:  # an integer above 1.8e308
        found = math.inf
    if not math.isfinite(found):
        raise Bad("not_finite", f"{name} is not a finite number")
    return found


def moment(value: Any, name: str, form: str = "") -> int | None:
    """A time in milliseconds since 1970, see `udfs.events.times`; a year stands for its beginning,
    and eight digits that are a day are not seconds.

    Args:
        form: how it is written, see `udfs.events.time_formats`; "": as is recognised.

    >>> moment("1970-01-02", "x"), moment(1971, "x"), moment("19700103", "x")
    (86400000, 31536000000, 172800000)
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool | list | dict):
        raise Bad("wrong_type", f"{name} is {kind_of(value)}, not a time")
    if isinstance(value, str) and value.strip().lower() in MISSING:
        return None
    if not form and _YEAR.fullmatch(str(value).strip()):
        value = f"{str(value).strip()}-01-01"
    elif not form and (day := _DAY.fullmatch(str(value).strip())):
        value = f"{day[1]}{day[2]}-{day[3]}-{day[4]}"
    (found,) = to_ms([value], 0, form).tolist()
    if found != found:
        what = (
            f'written as "{form}"'
            if form
            else "a time that can be read in one way only, as 2025-12-24"
        )
        raise Bad("bad_time", f"{name} {shown(value)} is not {what}")
    if not _EARLIEST <= found <= _LATEST:
        raise Bad("time_out_of_range", f"{name} {shown(value)} is not in the years 1 to 9999")
    return int(found)
