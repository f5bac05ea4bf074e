"""What the user learner tells the item learner after a batch: changes, never values.

In: the touched slots of a catalogue with their values before and after. Out: one message per item
shard, MessagePack; and its application to the catalogue that owns the items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed import change_kernels, parameters
from udfs.feed.parameters import Packed, Parameters
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.wire import Pairs

VERSION = 4


class Deltas(msgspec.Struct, frozen=True, array_like=True):
    """Changes of n distinct items.

    Attributes:
        items: the ids of those with events, in order; in versions 1 and 2 of all n.
        change: float32[n, d + 4], what to add to the factor q, the bias and the spread; version 1
            had no spread, float32[n, d + 1].
        weight, weight_at: float64[n], decayed sum of the positive weights at a time, ms.
        events: int64[n], how many events; 0 for an item that was only drawn as a negative.
        seen: wall clock of the batch, ms.
        pairs: what was taken together, if it is counted.
        parameters: float64[P] by name, what to add to parameters that are shared; none for every
            shard but the first. In versions 1 to 3 those of the ranker alone.
        stirred, context: int32[m], which of the n items had a part in a user's window, and
            float32[m, d], what to add to their factor y. Most of the n were drawn as negatives and
            are not among them.
        keys: uint64[n], the items by `events.item_key`; not in versions 1 and 2.
    """

    version: int
    items: list[str]
    change: bytes
    weight: bytes
    weight_at: bytes
    events: bytes
    seen: int
    stirred: bytes = b""
    context: bytes = b""
    pairs: Pairs | None = None
    parameters: Packed = {}
    keys: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Deltas).decode


class Touched(NamedTuple):
    """What a batch has changed of n distinct items.

    Attributes:
        keys: uint64[n]. names: by position of those with events, their ids.
        change: float32[n, 2d + 4], as of `change_kernels.changes`.
        weight, weight_at, events: as in `Deltas`. shards: int32[n], which owns each.
    """

    keys: NDArray[np.uint64]
    names: Mapping[int, str]
    change: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    shards: NDArray[np.int32]


def pack_deltas(
    touched: Touched, seen: int, pairs: list[Pairs], shared: Parameters
) -> dict[int, bytes]:
    """One message per item shard that has changes.

    Args:
        seen: ms. pairs: by item shard; empty where none are counted.
        shared: what to add to shared parameters.
    """
    keys, items, change, weight, weight_at, events, shards = touched
    own = change.shape[1] // 2 + 2
    change, context = np.ascontiguousarray(change[:, :own]), change[:, own:]
    stirred = context.any(axis=1)
    messages = {}
    order = np.argsort(shards, kind="stable")
    names, starts = np.unique(shards[order], return_index=True)
    parts = dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))
    # Every shard is told how much was learned: counts of all of them age by it.
    due = {shard for shard, part in enumerate(pairs) if part.learned} | ({0} if shared else set())
    for name in sorted(parts.keys() | due):
        part = parts.get(name, order[:0])
        moved = stirred[part]
        messages[name] = _encode(
            Deltas(
                VERSION,
                [items[n] for n in part[events[part] > 0].tolist()],
                change[part].tobytes(),
                weight[part].tobytes(),
                weight_at[part].tobytes(),
                events[part].tobytes(),
                seen,
                np.flatnonzero(moved).astype("<i4").tobytes(),
                context[part[moved]].tobytes(),
                pairs[name] if pairs else None,
                parameters.pack(shared) if name == 0 else {},
                keys[part].tobytes(),
            )
        )
    return messages


def unpack_deltas(data: bytes) -> Deltas:
    """The message that `pack_deltas` wrote.

    Raises:
        ServiceError: it, which may come from a restored inbox, is of another version.
    """
    message = _decode(data)
    if not 1 <= message.version <= VERSION:
        raise ServiceError(
            f"changes of items have form {message.version}, this millirec reads 1 to {VERSION}: "
            "restore with the release that wrote them, or start without the old state."
        )
    return message


def apply_deltas(message: Deltas, catalogue: Catalogue, half_life_ms: float) -> NDArray[np.int32]:
    """Add a message to the catalogue that owns its items; returns the slots it changed, int32[m].

    An item that is unknown here and was only drawn as a negative is left out: it has expired.
    """
    events = np.frombuffer(message.events, "<i8")
    n = len(events)
    if message.version < 3:
        slots = catalogue.find(message.items)
        named = np.arange(n)
    else:
        slots = catalogue.known(np.frombuffer(message.keys, "<u8"))
        named = np.flatnonzero(events > 0)
    met = (slots[named] < 0) & (events[named] > 0)
    slots[named[met]] = catalogue.slots([message.items[k] for k in np.flatnonzero(met).tolist()])
    d = catalogue.dimensions
    change, context = np.zeros((n, d + 4), np.float32), np.zeros((n, d), np.float32)
    told = np.frombuffer(message.change, "<f4").reshape(n, -1 if n else d + 4)
    change[:, : told.shape[1]] = told
    stirred = np.frombuffer(message.stirred, "<i4")
    context[stirred] = np.frombuffer(message.context, "<f4").reshape(len(stirred), d)
    weight, weight_at = (
        np.frombuffer(message.weight, "<f8"),
        np.frombuffer(message.weight_at, "<f8"),
    )
    c = catalogue
    change_kernels.apply_changes(
        slots,
        change_kernels.Told(change, context, weight, weight_at, events),
        change_kernels.Owned(
            c.q, c.y, c.bias, c.spread, c.popularity, c.popularity_at, c.events, c.seen
        ),
        message.seen,
        half_life_ms,
    )
    return slots[slots >= 0]
