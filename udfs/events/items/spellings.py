"""Which field of an item a name on a line means, by the names that shops and feeds give it.

In: a name. Out: a field of an item, "item", "ts", "kind", or "" for one that is not known.
"""

from __future__ import annotations

import re
from functools import lru_cache

from udfs.events.item_changes import FIELDS
from udfs.events.names import fold

_WORDS = {
    "title": "name producttitle productname itemname",
    "text": "description desc productdescription body summary",
    "categories": "category genre genres producttype",
    "tags": "tag labels keywords",
    "currency": "currencycode pricecurrency",
    "provider": "brand vendor manufacturer publisher",
    "image": "imageurl imagelink imagesrc img thumbnail picture",
    "vector": "embedding",
    "available": "instock availability isavailable",
    "hidden": "ishidden",
    "published": "publishedat publishdate releasedate",
    "expires": "expiresat expirydate expirationdate",
    "deleted": "isdeleted",
    "ts": "timestamp",
}
_FIELD_OF = {word: field for field, words in _WORDS.items() for word in words.split()}
_OWN = {"item", "ts", "kind", *FIELDS}


@lru_cache(maxsize=4096)
def field_of(name: str) -> str:
    """The field that a name means: its own name, or one that others use for it.

    >>> field_of("Image URL"), field_of("is_hidden"), field_of("colour"), field_of("price")
    ('image', 'hidden', '', 'price')
    """
    if name in _OWN:
        return name
    word = re.sub(r"[\W_]", "", fold(name))
    return word if word in _OWN else _FIELD_OF.get(word, "")
