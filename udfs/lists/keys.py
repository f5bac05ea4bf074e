"""The kinds of lists, and the keys under which a front end finds them.

In: the user or item a list belongs to. Out: its key without `redis.prefix`, the same in every
store. Nothing of millirec is imported here, because the client needs only this module of the lists.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of lists.

    Attributes:
        key: the key of the list, or the beginning of the keys if each owner has a list.
        owner: the field of a list that names its owner: "user", "item", "category" or "segment";
            "": it is shared.
    """

    key: str
    owner: str = ""

    def of(self, name: str = "") -> str:
        """The key of the list of one user or item.

        >>> USER.of("alice"), ITEM.of("1580"), POPULAR.of()
        ('rec:alice', 'similar:1580', 'popular')
        """
        return self.key + name


USER, ITEM = Kind("rec:", "user"), Kind("similar:", "item")
"""The lists of users, and the lists of items similar to each item."""

KEPT = Kind("kept:", "user")
"""What follows the list of a user: more items in the same form, for lists that are filtered."""

POPULAR, TRENDING = Kind("popular"), Kind("trending")
"""The lists that everybody shares."""

CATEGORY_POPULAR = Kind("popular:", "category")
CATEGORY_TRENDING = Kind("trending:", "category")
"""The same of each category; the name of the category is in the key as it is."""

SEGMENT = Kind("segment:", "segment")
"""What users of a segment begin with, such as `segment:country:DE`; `segment:all`: all users."""

NAMES: dict[Kind, str] = {
    USER: "user",
    ITEM: "similar",
    POPULAR: "popular",
    CATEGORY_POPULAR: "popular",
    TRENDING: "trending",
    CATEGORY_TRENDING: "trending",
    SEGMENT: "segment",
}
"""What the configuration calls the lists that a Kafka topic can have."""

FACTOR, METADATA = "factor:", "item:"
"""The beginnings of the keys of users' factors, and of what is known of items."""

HIDDEN = "hidden"
"""The key of the set of items that may not be shown now, and the channel that tells of changes."""

RECEIPT, KNOWN = "forget:", "export:"
"""The beginnings of the keys of receipts of forgetting, and of what is known of a user who asks;
the `digest` of the user's id follows."""

WHY = f"{KNOWN}why:"
"""The same of answers why an item is in a user's list: one for each user, the last."""

CHANNEL = "rec"
"""The channel on which the id of a user is published when the user's list has changed."""


def digest(user: str) -> str:
    """What stands for the id of a user where the id must not: BLAKE2b of 128 bits, in hex.

    >>> digest("alice")
    '69b5957599f918e276a3d2428acdc997'
    """
    return blake2b(user.encode(), digest_size=16).hexdigest()


def keys_of(user: str) -> list[str]:
    """Where in Redis the lists and the factor of a user are, without the prefix.

    >>> keys_of("ann")
    ['rec:ann', 'kept:ann', 'factor:ann']
    """
    return [USER.of(user), KEPT.of(user), FACTOR + user]


def split(key: str) -> tuple[str, str]:
    """The beginning of a key, and the owner of the list.

    >>> split("rec:a:b"), split("popular")
    (('rec:', 'a:b'), ('popular', ''))
    """
    head, colon, name = key.partition(":")
    return head + colon, name


def escaped(text: str) -> str:
    """A prefix as SCAN's patterns take it.

    >>> escaped("a*[b]?")
    'a\\\\*\\\\[b\\\\]\\\\?'
    """
    return "".join(f"\\{letter}" if letter in "*?[]^\\" else letter for letter in text)
