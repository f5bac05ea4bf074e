"""Names in simulated worlds: ids, and lists of words to make titles of.

In: an id such as "i204" or "u17". Out: its number (0, 1, 2, …).
"""

from __future__ import annotations

from udfs.errors import MillirecError


def words(text: str) -> tuple[str, ...]:
    """The words of a text; a hyphen becomes a space within a name.

    >>> words("Mug Yoga-Mat")
    ('Mug', 'Yoga Mat')
    """
    return tuple(word.replace("-", " ") for word in text.split())


def number_of(name: str, letter: str, count: int, place: str) -> int:
    """The number in an id such as "u17", which must be below `count`.

    place: what the world is, such as "shop". Raises MillirecError for an id that it does not have.

    >>> number_of("u17", "u", 100, "shop")
    17
    """
    digits = name[1:]
    if name[:1] == letter and digits.isascii() and digits.isdigit():
        number = int(digits)
        if number < count and f"{letter}{number}" == name:
            return number
    raise MillirecError(
        f"The simulated {place} has no {name!r}: its ids go from {letter}0 to {letter}{count - 1}."
    )
