"""Values of the state that have a version: read, or refused in a sentence.

In: bytes of MessagePack. Out: the value, if this millirec knows its form.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from udfs.errors import ServiceError


class _Versioned(Protocol):
    @property
    def version(self) -> int:
        """Of the form."""


_V = TypeVar("_V", bound=_Versioned)


def read_form(decoder: msgspec.msgpack.Decoder[_V], data: bytes, version: int, what: str) -> _V:
    """The value in `data`.

    Args:
        version: of the only form that is read. what: the value, as the subject of a sentence.

    Raises:
        ServiceError: it has another form, or is damaged.
    """
    try:
        found = decoder.decode(data)
    except msgspec.MsgspecError as error:
        raise ServiceError(f"{what} is damaged: {error}. Restore an earlier checkpoint.") from error
    if found.version != version:
        raise ServiceError(
            f"{what} is stored in form {found.version}, this millirec reads form {version}: "
            "restore with the release that wrote it."
        )
    return found
