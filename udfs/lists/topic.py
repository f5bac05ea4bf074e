"""Lists on their way to a Kafka topic: packed by the batch, because a row each would cost more.

In: `ListUpdates`, and users whose lists go. Out: messages, which Flink SQL takes apart in the JVM
(`flink_app/graph/lists_topic.py`): lines with a record each, the form in which it is unambiguous
whatever an id holds, since neither hexadecimal digits nor JSON have control characters. A value of
Avro or Protobuf is in hex too. Of lines with the same key in a message only the last counts.

    u616e6e \\x1f {"user":"ann",…}        the key of the users' topic in hex, and the value
    u616e6e                              a tombstone: the key has no value any more
    s706f70756c6172 \\x1f {"id":…}        the same of the topic of shared lists
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import islice

from udfs.formats.list_values import list_writer
from udfs.formats.settings import ListFormat
from udfs.lists.keys import NAMES, USER
from udfs.lists.update import ListUpdates

FIELD, LINE = "\x1f", "\x1e"
"""What is between the key and the value, and between two lines."""

OWN, SHARED = "u", "s"
"""What a line begins with, which tells its topic: that of users, or of lists that all share."""

MOST = 256
"""Lines in a message, after each of which Python has to wait for its lock again."""


Write = Callable[[bytes], bytes]
"""Makes the text of a value of a list's JSON."""


def writers(form: ListFormat) -> dict[str, Write]:
    """What makes the values of `OWN` and of `SHARED` lists; they need the packages of the format.

    >>> writers(ListFormat())[OWN](b'{"items":[]}')
    b'{"items":[]}'
    """
    if form.format == "json":
        return {OWN: bytes, SHARED: bytes}
    own, shared = (list_writer(form.format, number) for number in (form.own, form.shared))
    return {
        OWN: lambda value: own(value).hex().encode(),
        SHARED: lambda value: shared(value).hex().encode(),
    }


def written(
    updates: Sequence[ListUpdates], kinds: Collection[str], values: Mapping[str, Write]
) -> Iterator[bytes]:
    """The messages of the lists whose `NAMES` are among `kinds`, in order; `values`: `writers`."""
    yield from _messages(_lines(updates, kinds, values))


def erased(users: Sequence[str], kinds: Collection[str]) -> Iterator[bytes]:
    """The messages by which users lose their lists; none if users' lists are not written.

    >>> list(erased(["ann", "bob"], ["user"]))
    [b'u616e6e\\x1eu626f62']
    """
    if NAMES[USER] in kinds:
        yield from _messages(f"{OWN}{user.encode().hex()}".encode() for user in users)


def _lines(
    updates: Sequence[ListUpdates], kinds: Collection[str], values: Mapping[str, Write]
) -> Iterator[bytes]:
    for some in updates:
        if NAMES.get(some.kind) not in kinds:
            continue
        # A user's key is the bare id; the others have Redis' keys, since items may be so called.
        head = OWN if some.kind == USER else SHARED + some.kind.key.encode().hex()
        write = values[head[0]]
        for name, value in zip(some.names, some.json, strict=True):
            yield f"{head}{name.encode().hex()}{FIELD}".encode() + write(value)


def _messages(lines: Iterator[bytes]) -> Iterator[bytes]:
    while some := list(islice(lines, MOST)):
        yield LINE.encode().join(some)
