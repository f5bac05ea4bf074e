"""The kinds of lists, and the keys under which a front end finds them.

In: the user or item a list belongs to. Out: its key, the same in every store, in front of which
comes `redis.prefix`. Nothing is imported here: the client needs no more of the lists than this.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of lists.

    Attributes:
        key: the key of such a list, or what it begins with if there is one for each name.
        owner: the field of a list that says whose it is, "user" or "item"; "": it is everybody's.
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
"""The lists of users, and of items: those similar to each."""

POPULAR, TRENDING = Kind("popular"), Kind("trending")
"""The lists that are everybody's."""

FACTOR, METADATA = "factor:", "item:"
"""What the keys of users' factors begin with, and those of what the shop has written of items."""

CHANNEL = "rec"
"""The channel on which the id of a user is published whose list has changed."""


def split(key: str) -> tuple[str, str]:
    """What a key begins with, and whose list it is.

    >>> split("rec:a:b"), split("popular")
    (('rec:', 'a:b'), ('popular', ''))
    """
    head, colon, name = key.partition(":")
    return head + colon, name
