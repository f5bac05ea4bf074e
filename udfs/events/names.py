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
    "user": "user userid uid customer customerid client clientid visitor visitorid member "
    "memberid account accountid buyerid shopperid reviewerid profileid useruuid userpseudoid "
    "anonymousid distinctid deviceid session sessionid",
    "item": "item itemid itemno itemnumber product productid sku article articleid content "
    "contentid movie movieid asin parentasin book bookid isbn game gameid track trackid song "
    "songid video videoid newsid "
    "businessid business listingid offerid objectid entityid goodsid aid",
    "type": "type eventtype event eventname action actiontype behavior behaviour behaviortype "
    "behaviourtype feedbacktype interaction interactiontype activity activitytype",
    "ts": "ts timestamp time datetime date eventtime eventtimestamp eventdate createdat created "
    "occurredat happenedat receivedat servertime unixtime epoch clickedat viewedat",
    "value": "value rating ratings score stars overall bookrating eventvalue",
    "id": "eventid messageid insertid eventuuid",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}
_RANK = {word: rank for rank, word in enumerate(_FIELD_OF)}


def fold(name: str) -> str:
    """A column's name without case, the blanks and quotes around it, and a byte order mark.

    >>> fold('\\ufeff"User-ID" ')
    'user-id'
    """
    text = unicodedata.normalize("NFKC", name)
    return text.strip().strip("\ufeff\"'`").strip().casefold()


def roles(names: Iterable[str]) -> dict[str, str]:
    """The fields that the names suggest, each with the likeliest name for it.

    RecBole's `name:kind` is known too: https://recbole.io/docs/user_guide/data/atomic_files.html

    >>> roles(["session", "Movie ID", "user_id:token", "Rating", "colour"])
    {'user': 'user_id:token', 'item': 'Movie ID', 'value': 'Rating'}
    """
    found: dict[str, tuple[int, str]] = {}
    for name in names:
        word = re.sub(r"[\W_]", "", fold(name).partition(":")[0])
        field = _FIELD_OF.get(word)
        if field and (field not in found or _RANK[word] < found[field][0]):
            found[field] = _RANK[word], name.strip("\ufeff\"' ")
    return {field: found[field][1] for field in _WORDS if field in found}


def instead(word: str, known: Collection[str]) -> str:
    """The nearest known word as a question, or all of them.

    >>> instead("usr", ["user", "item"]), instead("x", ["user", "item"])
    ("did you mean 'user'?", 'choose one of user, item')
    """
    near = get_close_matches(word, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}"
