"""Messages on the edges of the job's graph besides batches of events, told apart by a first byte.

In: a value. Out: its bytes, with a mark and a version before it; and the value of such bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from udfs.errors import SourceError
from udfs.events.batch import user_shard

T = TypeVar("T")


class OfUser(Protocol):
    """What is said of, or by, a user."""

    @property
    def user(self) -> str:
        """The id."""


U = TypeVar("U", bound=OfUser)
_encode = msgspec.msgpack.Encoder().encode


class Message(Generic[T]):
    """One kind of message.

    Args:
        mark: the first byte, which no other message, nor a batch, begins with.
        what: names a message in errors.
        kind: the type of the value, for msgspec. version: of its form.
    """

    def __init__(self, mark: bytes, what: str, kind: Any, version: int = 1) -> None:
        self._mark, self._what, self._version = mark, what, version
        self._decode = msgspec.msgpack.Decoder(tuple[int, kind]).decode

    def pack(self, value: Any) -> bytes:
        """The value as bytes, for the operator that is to get it."""
        return self._mark + _encode((self._version, value))

    def holds(self, data: bytes) -> bool:
        """Whether these are bytes of `pack`.

        >>> Message(b"X", "a trial", int).holds(b"X"), Message(b"X", "a trial", int).holds(b"")
        (True, False)
        """
        return data[:1] == self._mark

    def unpack(self, data: bytes) -> T:
        """The value that was packed.

        Raises:
            SourceError: the bytes have another version, or are damaged.
        """
        try:
            version, value = self._decode(data[1:])
        except msgspec.MsgspecError as error:
            raise SourceError(
                f"{self._what} of {len(data)} bytes cannot be read: {error}. The operator before "
                "this one must run the same millirec; redeploy the job as one package."
            ) from error
        if version != self._version:
            raise SourceError(
                f"{self._what} has form {version}, this millirec reads form {self._version}: "
                "redeploy the job so that all its operators run the same version."
            )
        found: T = value
        return found


def by_user(
    values: Iterable[U], shards: int, pack: Callable[[list[U]], bytes]
) -> list[tuple[int, bytes]]:
    """(shard, bytes) for each shard of `shards` that owns a user of the values, in their order."""
    owned: dict[int, list[U]] = {}
    for value in values:
        owned.setdefault(user_shard(value.user, shards), []).append(value)
    return [(shard, pack(some)) for shard, some in owned.items()]
