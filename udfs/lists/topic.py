"""Lists on their way to a Kafka topic: packed by the batch, because a row each would cost more.

In: `ListUpdates`, and users whose lists go. Out: messages, which Flink SQL takes apart in the JVM
(`flink_app/graph/lists_topic.py`): lines with a record each, the form in which it is unambiguous
whatever an id holds, since neither hexadecimal digits nor JSON have control characters.

    u616e6e \\x1f {"user":"ann",…}        the key of the users' topic in hex, and the value
    u616e6e                              a tombstone: the key has no value any more
    s706f70756c6172 \\x1f {"id":…}        the same of the topic of shared lists
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import islice

from udfs.lists.keys import NAMES, USER
from udfs.lists.update import ListUpdates

FIELD, LINE = "\x1f", "\x1e"
"""What is between the key and the value, and between two lines."""

OWN, SHARED = "u", "s"
"""What a line begins with, which tells its topic: that of users, or of lists that all share."""

MOST = 1000
"""Lines in a message, which has about a megabyte then."""


def written(updates: Sequence[ListUpdates], kinds: Collection[str]) -> Iterator[bytes]:
    """The messages of the lists whose `NAMES` are among `kinds`, in order."""
    yield from _messages(_lines(updates, kinds))


def erased(users: Sequence[str], kinds: Collection[str]) -> Iterator[bytes]:
    """The messages by which users lose their lists; none if users' lists are not written.

    >>> list(erased(["ann", "bob"], ["user"]))
    [b'u616e6e\\x1eu626f62']
    """
    if NAMES[USER] in kinds:
        yield from _messages(f"{OWN}{user.encode().hex()}".encode() for user in users)


def _lines(updates: Sequence[ListUpdates], kinds: Collection[str]) -> Iterator[bytes]:
    for some in updates:
        if NAMES.get(some.kind) not in kinds:
            continue
        # A user's key is the bare id; the others have Redis' keys, since items may be so called.
        head = OWN if some.kind == USER else SHARED + some.kind.key.encode().hex()
        for name, value in zip(some.names, some.json, strict=True):
            yield f"{head}{name.encode().hex()}{FIELD}".encode() + value


def _messages(lines: Iterator[bytes]) -> Iterator[bytes]:
    while some := list(islice(lines, MOST)):
        yield LINE.encode().join(some)
