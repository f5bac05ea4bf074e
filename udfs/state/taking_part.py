"""What a user has done in experiments, as it stands in Flink's state.

In: sums of one user; bytes. Out: `Part`s by the experiment's name, and their versioned bytes.
"""

from __future__ import annotations

import msgspec

from udfs.state.forms import read_form

_VERSION = 1


class Part(msgspec.Struct, array_like=True):
    """A user in one experiment.

    Attributes:
        variant: its name. since: when the first list was made in it, ms since 1970.
        lists: lists that were looked at. views, clicks, conversions: items of them. value: what
            these were worth.
    """

    variant: str
    since: int
    lists: int = 0
    views: int = 0
    clicks: int = 0
    conversions: int = 0
    value: float = 0.0


class _Row(msgspec.Struct, array_like=True):
    version: int
    parts: dict[str, Part]


_encode = msgspec.msgpack.Encoder().encode
_decoder = msgspec.msgpack.Decoder(_Row)


def pack_parts(parts: dict[str, Part]) -> bytes:
    """What is kept of a user."""
    return _encode(_Row(_VERSION, parts))


def unpack_parts(data: bytes | None) -> dict[str, Part]:
    """What `pack_parts` wrote; nothing of None.

    Raises:
        ServiceError: it has another form, or is damaged.
    """
    if data is None:
        return {}
    return read_form(_decoder, data, _VERSION, "what a user did in experiments").parts
