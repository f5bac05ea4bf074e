"""The kinds of lists, and the keys under which a front end finds them.

In: the user or item a list belongs to. Out: its key without `redis.prefix`, the same in every
store. Nothing is imported here, because the client needs only this module of the lists.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of lists.

    Attributes:
        key: the key of the list, or the beginning of the keys if each owner has a list.
        owner: the field of a list that names its owner, "user" or "item"; "": it is shared.
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

POPULAR, TRENDING = Kind("popular"), Kind("trending")
"""The lists that everybody shares."""

FACTOR, METADATA = "factor:", "item:"
"""The beginnings of the keys of users' factors, and of what the shop has written about items."""

CHANNEL = "rec"
"""The channel on which the id of a user is published when the user's list has changed."""


def split(key: str) -> tuple[str, str]:
    """The beginning of a key, and the owner of the list.

    >>> split("rec:a:b"), split("popular")
    (('rec:', 'a:b'), ('popular', ''))
    """
    head, colon, name = key.partition(":")
    return head + colon, name
