"""Lists on their way to a Kafka topic: packed by the batch, because a row each would cost more.

In: `ListUpdates`, and users whose lists go. Out: messages, which Flink SQL takes apart in the JVM
(`flink_app/graph/lists_topic.py`): a record for each key, the value None a tombstone. Of lists with
the same key in a message there is the last. All is bytes: texts would be decoded and encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from udfs.formats.list_values import list_writer
from udfs.formats.settings import ListFormat
from udfs.lists.keys import NAMES, USER
from udfs.lists.update import ListUpdates

MOST = 256
"""Records in a message, after each of which Python has to wait for its lock again."""

OWN, SHARED = False, True
"""The topic of users' own lists, and that of lists that all share."""

Write = Callable[[bytes], bytes]
"""Makes a value of a list's JSON."""


class Message(NamedTuple):
    """Records of one topic.

    Attributes:
        shared: `OWN` or `SHARED`. records: values by key; None: the key has no value any more.
    """

    shared: bool
    records: dict[bytes, bytes | None]


def writers(form: ListFormat) -> dict[bool, Write]:
    """What makes the values of `OWN` and of `SHARED` lists; they need the packages of the format.

    >>> writers(ListFormat())[OWN](b'{"items":[]}')
    b'{"items":[]}'
    """
    if form.format == "json":
        return {OWN: bytes, SHARED: bytes}
    return {OWN: list_writer(form.format, form.own), SHARED: list_writer(form.format, form.shared)}


def written(
    updates: Sequence[ListUpdates], kinds: Collection[str], values: Mapping[bool, Write]
) -> Iterator[Message]:
    """The messages of the lists whose `NAMES` are among `kinds`, in order; `values`: `writers`."""
    wanted = [some for some in updates if NAMES.get(some.kind) in kinds]
    for shared in OWN, SHARED:
        chosen = (some for some in wanted if (some.kind != USER) == shared)
        yield from _messages(shared, _records(chosen, values[shared]))


def erased(users: Sequence[str], kinds: Collection[str]) -> Iterator[Message]:
    """The messages by which users lose their lists; none if users' lists are not written.

    >>> [*erased(["ann", "bob"], ["user"])]
    [Message(shared=False, records={b'ann': None, b'bob': None})]
    """
    if NAMES[USER] in kinds:
        yield from _messages(OWN, ((user.encode(), None) for user in users))


_Records = Iterator[tuple[bytes, bytes | None]]


def _records(updates: Iterator[ListUpdates], write: Write) -> _Records:
    for some in updates:
        # A user's key is the bare id; the others have Redis' keys, since items may be so called.
        prefix = "" if some.kind == USER else some.kind.key
        for name, value in zip(some.names, some.json, strict=True):
            yield f"{prefix}{name}".encode(), write(value)


def _messages(shared: bool, records: _Records) -> Iterator[Message]:
    while some := dict(islice(records, MOST)):
        yield Message(shared, some)
