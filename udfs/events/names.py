"""Which fields of an event the names of columns suggest, so that a header is known as one and its
columns can be proposed. Nothing is ever read by a guess.

In: the names of CSV columns. Out: field → name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from difflib import get_close_matches

_WORDS = {
    "user": "user userid useruuid uid customer customerid client clientid visitor visitorid member "
    "memberid account accountid buyerid shopperid reviewerid userpseudoid anonymousid session "
    "sessionid",
    "item": "item itemid product productid sku article articleid content contentid movie movieid "
    "asin parentasin book bookid isbn game gameid track trackid song songid video videoid newsid "
    "businessid listingid goodsid aid",
    "type": "type eventtype event eventname action actiontype behavior behaviour behaviortype "
    "feedbacktype interaction interactiontype",
    "ts": "ts timestamp time datetime date eventtime eventtimestamp eventdate createdat",
    "value": "value rating ratings score stars bookrating eventvalue",
    "id": "eventid messageid insertid",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}


def fold(name: str) -> str:
    """A column's name without case, the blanks and quotes around it, and a byte order mark.

    >>> fold('\\ufeff"User-ID" ')
    'user-id'
    """
    text = unicodedata.normalize("NFKC", name)
    return text.strip().strip("\ufeff\"'`").strip().casefold()


def roles(names: Iterable[str]) -> dict[str, str]:
    """The fields that the names suggest, each with the first name that does.

    RecBole's `name:kind` is known too: https://recbole.io/docs/user_guide/data/atomic_files.html

    >>> roles(["Movie ID", "user_id:token", "Rating", "colour"])
    {'item': 'Movie ID', 'user': 'user_id:token', 'value': 'Rating'}
    """
    found: dict[str, str] = {}
    for name in names:
        field = _FIELD_OF.get(re.sub(r"[\W_]", "", fold(name).partition(":")[0]))
        if field:
            found.setdefault(field, name.strip("\ufeff\"' "))
    return found


def instead(word: str, known: Collection[str]) -> str:
    """The nearest known word as a question, or all of them.

    >>> instead("usr", ["user", "item"]), instead("x", ["user", "item"])
    ("did you mean 'user'?", 'choose one of user, item')
    """
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
