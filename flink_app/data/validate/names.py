"""Which field of an event a name stands for, by the words that exports use.

In: names of CSV columns, or dotted paths in JSON. Out: field → name, for `source.fields`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_WORDS: dict[str, str] = {
    "user": "user userid useruuid uid customerid customer clientid client visitorid visitor "
    "memberid member accountid account buyerid shopperid reviewerid profileid userpseudoid "
    "anonymousid deviceid sessionid session",
    "item": "item itemid itemno itemnumber productid product sku articleid article contentid "
    "content movieid movie asin parentasin bookid book isbn gameid game trackid track songid song "
    "videoid video newsid businessid business listingid offerid objectid entityid goodsid aid "
    "productcode variantid name title",
    "type": "type eventtype event eventname action actiontype behavior behaviour behaviortype "
    "behaviourtype feedbacktype interaction interactiontype activity activitytype",
    "ts": "ts timestamp time datetime date eventtime eventtimestamp eventdate createdat created "
    "occurredat happenedat receivedat servertime unixtime epoch tdat clickedat viewedat when",
    "value": "value rating ratings score stars overall bookrating eventvalue",
    "id": "eventid messageid insertid eventuuid",
}
ROLES = {field: words.split() for field, words in _WORDS.items()}
"""Words for each field, without case and separators, the likelier one first."""

_MOST = 3  # levels of objects that are looked into


def roles(names: Iterable[str]) -> dict[str, str]:
    """The fields that the names stand for, each with its name; a name is used once.

    >>> roles(["Movie ID", "user_id", "Rating", "colour"])
    {'user': 'user_id', 'item': 'Movie ID', 'value': 'Rating'}
    """
    by_word: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name.count(".")):
        by_word.setdefault(re.sub(r"[\W_]", "", name.rpartition(".")[2].lower()), name)
    found: dict[str, str] = {}
    for field, words in ROLES.items():
        for word in words:
            if word in by_word and by_word[word] not in found.values():
                found[field] = by_word[word]
                break
    return found


def paths(event: Any, prefix: str = "", depth: int = 0) -> tuple[list[str], list[str]]:
    """The dotted paths of an object's plain values, and those of its lists of objects.

    >>> paths({"who": {"id": 1}, "items": [{"sku": "a"}]})
    (['who.id'], ['items[]'])
    """
    plain: list[str] = []
    lists: list[str] = []
    for key, value in event.items():
        path = f"{prefix}{key}"
        if isinstance(value, dict) and depth < _MOST:
            below = paths(value, f"{path}.", depth + 1)
            plain += below[0]
            lists += below[1]
        elif isinstance(value, list):
            if value and isinstance(value[0], dict):
                lists.append(f"{path}[]")
        elif not isinstance(value, dict):
            plain.append(path)
    return plain, lists
