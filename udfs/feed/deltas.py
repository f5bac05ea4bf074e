"""What the user learner sends to the item learners after a batch: changes, never values.

In: what a batch has changed of each item. Out: one MessagePack message per item shard, and the
function that applies it to the catalogue that owns the items.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed import change_kernels, parameters
from udfs.feed.change_kernels import Grouped
from udfs.feed.parameters import Packed, Parameters
from udfs.memory.catalogue import Catalogue
from udfs.models.item_cf.wire import Pairs

VERSION = 5


class Deltas(msgspec.Struct, frozen=True, array_like=True):
    """Changes of n distinct items.

    Attributes:
        items: ids of the items with events, in order; in versions 1 and 2, of all n items.
        change: float32[n, d + 4], what to add to the factor q, the bias and the spread; version 1
            had no spread, float32[n, d + 1].
        weight, weight_at: float64[n], decayed sum of the positive weights at a time, ms.
        events: int64[n], how many events; 0 for an item that was only drawn as a negative.
        seen: wall clock of the batch, ms.
        pairs: items that were taken together, if they are counted.
        parameters: float64[P] by name, what to add to the shared parameters; only the first shard
            gets any. In versions 1 to 3, those of the ranker alone.
        moved, context: int32[m], which of the n items were in a user's window, and float32[m, d],
            what to add to their factor y. Most of the n items were only drawn as negatives and are
            not among them.
        keys: uint64[n], the items by `events.item_key`; not in versions 1 and 2.
        origin: the subtask of the user learner; −1 in versions 1 to 4: unknown.
    """

    version: int
    items: list[str]
    change: bytes
    weight: bytes
    weight_at: bytes
    events: bytes
    seen: int
    moved: bytes = b""
    context: bytes = b""
    pairs: Pairs | None = None
    parameters: Packed = {}
    keys: bytes = b""
    origin: int = -1


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Deltas).decode


class Touched(NamedTuple):
    """What a batch has changed of n distinct items.

    Attributes:
        keys: uint64[n]. names: ids of the items with events, by position.
        change: float32[n, 2d + 4], from `change_kernels.changes`.
        weight, weight_at, events: as in `Deltas`. shards: int32[n], the owner of each item.
    """

    keys: NDArray[np.uint64]
    names: Mapping[int, str]
    change: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    shards: NDArray[np.int32]


def pack_deltas(
    touched: Touched, seen: int, pairs: list[Pairs], shared: Parameters, origin: int = -1
) -> dict[int, bytes]:
    """One message per item shard that has changes.

    Args:
        seen: ms. pairs: by item shard; empty where none are counted.
        shared: what to add to shared parameters. origin: the subtask that has learned them.
    """
    names, (n, width) = touched.names, touched.change.shape
    d = width // 2 - 2
    count = max(len(pairs), int(touched.shards.max(initial=0)) + 1)
    g = Grouped(
        np.empty((n, d + 4), np.float32),
        np.empty((n + 1, d), np.float32),
        np.empty(n, np.uint64),
        np.empty(n),
        np.empty(n),
        np.empty(n, np.int64),
        np.empty(n + 1, np.int32),
        np.empty(n, np.int32),
        np.empty((3, count + 1), np.int64),
    )
    t = touched
    change_kernels.group(t.change, t.keys, t.weight, t.weight_at, t.events, t.shards, g)
    rows, moves, named = g.starts.tolist()
    messages = {}
    for shard in range(count):
        a, b = rows[shard : shard + 2]
        pair = pairs[shard] if pairs else None
        # Every shard gets the number of events learned: the counts in all shards age by it.
        if a == b and not (pair and pair.learned) and not (shared and shard == 0):
            continue
        c, e = moves[shard : shard + 2]
        message = Deltas(
            VERSION,
            [names[k] for k in g.named[named[shard] : named[shard + 1]].tolist()],
            g.change[a:b].tobytes(),
            g.weight[a:b].tobytes(),
            g.weight_at[a:b].tobytes(),
            g.events[a:b].tobytes(),
            seen,
            g.moved[c:e].tobytes(),
            g.context[c:e].tobytes(),
            pair,
            parameters.pack(shared) if shard == 0 else {},
            g.keys[a:b].tobytes(),
            origin,
        )
        messages[shard] = _encode(message)
    return messages


def unpack_deltas(data: bytes) -> Deltas:
    """The message that `pack_deltas` wrote.

    Raises:
        ServiceError: the message, perhaps from a restored inbox, has another version.
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

    An unknown item that was only drawn as a negative is skipped: it has expired here.
    """
    events = np.frombuffer(message.events, "<i8")
    n = len(events)
    if message.version < 3:
        slots = catalogue.find(message.items)
        named = np.arange(n)
    else:
        slots = catalogue.known(np.frombuffer(message.keys, "<u8"))
        named = np.flatnonzero(events > 0)
    new = (slots[named] < 0) & (events[named] > 0)
    slots[named[new]] = catalogue.slots([message.items[k] for k in np.flatnonzero(new).tolist()])
    d = catalogue.dimensions
    change, context = np.zeros((n, d + 4), np.float32), np.zeros((n, d), np.float32)
    sent = np.frombuffer(message.change, "<f4").reshape(n, -1 if n else d + 4)
    change[:, : sent.shape[1]] = sent
    moved = np.frombuffer(message.moved, "<i4")
    context[moved] = np.frombuffer(message.context, "<f4").reshape(len(moved), d)
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
