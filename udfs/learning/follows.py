"""Takes users who were forgotten out of what others follow.

In: records of what is said of users or ids, and who was forgotten when. Out: the records without
these names.
"""

from __future__ import annotations

from collections.abc import Mapping

from udfs.memory.metadata import PROVIDER
from udfs.models.social.source import AUTHOR
from udfs.state.handles import Rows
from udfs.state.item_records import Record

FOLLOWS = "follows"
_SPELLINGS = "", AUTHOR, PROVIDER
"""What may stand before the id of a user whom others follow."""


def without(record: Record, gone: Mapping[str, int]) -> Record | None:
    """The record without the users who are gone, if it follows any of them; None: it does not.

    What was said since a user was forgotten stays. What is left is as of then, so that older lines
    that come again do not bring the name back. A user is followed by the id alone, or by `author:`
    or `provider:` and the id.

    Args:
        gone: user → when it was forgotten, ms.

    >>> without({"follows": (5, ["bob", "cid"])}, {"bob": 7})
    {'follows': (7, ['cid'])}
    >>> without({"follows": (5, ["author:bob", "author:bo"])}, {"bob": 7})
    {'follows': (7, ['author:bo'])}
    >>> without({"follows": (5, ["bob"])}, {"bob": 4}) is None
    True
    """
    said, names = record.get(FOLLOWS, (0, None))
    spelt = {before + user: ts for user, ts in gone.items() for before in _SPELLINGS}
    out = {name: spelt[name] for name in names or () if spelt.get(name, said - 1) >= said}
    if not out:
        return None
    left = [name for name in names or () if name not in out]
    return record | {FOLLOWS: (max(out.values()), left or None)}


def naming(rows: Rows, users: Mapping[str, int]) -> list[tuple[str, bytes]]:
    """The rows whose values have one of these ids anywhere."""
    raw = [user.encode() for user in users]
    return [(key, data) for key, data in rows.items() if any(one in data for one in raw)]
