"""What lines say of experiments, as it stands in Flink's state.

In: words by the names of experiments; bytes. Out: the same words, and their versioned bytes.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from udfs.experiments.words import Word, Words
from udfs.state.forms import read_form

_VERSION = 1


class _Row(msgspec.Struct, array_like=True):
    version: int
    words: dict[str, Word]


_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decoder = msgspec.msgpack.Decoder(_Row)


def pack_started(words: Mapping[str, Word]) -> bytes:
    """What is kept."""
    return _encode(_Row(_VERSION, dict(words)))


def unpack_started(data: bytes | None) -> Words:
    """What `pack_started` wrote; nothing of None.

    Raises:
        ServiceError: it has another form, or is damaged.
    """
    if data is None:
        return {}
    return read_form(_decoder, data, _VERSION, "what is known of experiments").words
