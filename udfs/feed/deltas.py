"""What the user learner sends to the item learners after a batch: changes, never values.

In: what a batch has changed of each item. Out: one MessagePack message per item shard, and the
function that applies messages to the catalogue that owns the items.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.events.batch import item_key
from udfs.feed import apply_kernels, change_kernels, parameters
from udfs.feed.change_kernels import Grouped
from udfs.feed.parameters import Packed, Parameters
from udfs.memory import takers
from udfs.memory.catalogue import Catalogue
from udfs.memory.popularity_kernels import SPANS
from udfs.models.item_cf.wire import Pairs
from udfs.state.records import put_on_top

VERSION = 7


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
            what to add to their factor y; up to version 6, to what they are as part of a history.
            Most of the n items were only drawn as negatives and are not among them.
        keys: uint64[n], the items by `events.item_key`; not in versions 1 and 2.
        origin: the subtask of the user learner; −1 in versions 1 to 4: unknown.
        sums: float64[k, 4], of the items with events, the same weights at each of `SPANS`, as of
            `weight_at`; not in versions 1 to 5.
        takers: uint8[k], how many users took these items for the first time, 255 are 255 or more;
            empty: they are not counted.
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
    sums: bytes = b""
    takers: bytes = b""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Deltas).decode


class Touched(NamedTuple):
    """What a batch has changed of n distinct items.

    Attributes:
        keys: uint64[n]. names: ids of the items with events, by position.
        change: float32[n, 2d + 4], from `change_kernels.changes`.
        weight, weight_at, events: as in `Deltas`. sums: float64[n, 4], the same of all n items.
        shards: int32[n], the owner of each item.
    """

    keys: NDArray[np.uint64]
    names: Mapping[int, str]
    change: NDArray[np.float32]
    weight: NDArray[np.float64]
    weight_at: NDArray[np.float64]
    events: NDArray[np.int64]
    sums: NDArray[np.float64]
    shards: NDArray[np.int32]


def pack_deltas(
    touched: Touched,
    seen: int,
    pairs: list[Pairs],
    shared: Parameters,
    origin: int = -1,
) -> dict[int, bytes]:
    """One message per item shard that has changes.

    Args:
        seen: ms. pairs: by item shard; empty where none are counted.
        shared: what to add to shared parameters. origin: the subtask that has learned them.
    """
    t, d = touched, touched.change.shape[1] // 2 - 2
    g = Grouped.room(len(t.keys), d, max(len(pairs), int(t.shards.max(initial=0)) + 1))
    given = t.change, t.keys, t.weight, t.weight_at, t.events, t.sums, t.shards
    change_kernels.group(*given, g)
    names = [t.names[k] for k in g.named[: g.starts[2, -1]].tolist()]
    return pack_grouped(g, names, seen, pairs, shared, origin)


def pack_grouped(
    g: Grouped,
    names: list[str],
    seen: int,
    pairs: Sequence[Pairs],
    shared: Parameters,
    origin: int,
    taken: bytes = b"",
) -> dict[int, bytes]:
    """The same of rows by shard; `names`, `taken`: of those in `Grouped.named`, the latter as
    `Deltas.takers`."""
    rows, moves, named = g.starts.tolist()
    messages = {}
    for shard in range(len(rows) - 1):
        a, b = rows[shard : shard + 2]
        pair = pairs[shard] if pairs else None
        # Every shard gets the number of events learned: the counts in all shards age by it.
        if a == b and not (pair and pair.learned) and not (shared and shard == 0):
            continue
        c, e = moves[shard : shard + 2]
        message = Deltas(
            VERSION,
            names[named[shard] : named[shard + 1]],
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
            g.sums[named[shard] : named[shard + 1]].tobytes(),
            taken[named[shard] : named[shard + 1]],
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


class Applied(NamedTuple):
    """What messages changed: the slot of each of their rows, int32[m], −1 where it was skipped; and
    where the rows of each message begin, int64[M + 1]."""

    slots: NDArray[np.int32]
    starts: NDArray[np.int64]


def apply_deltas(messages: Sequence[Deltas], catalogue: Catalogue, half_life_ms: float) -> Applied:
    """Add messages, in order, to the catalogue that owns their items.

    An unknown item that was only drawn as a negative is skipped: it has expired here.
    """
    d = catalogue.dimensions
    told = [m if m.version >= VERSION else _on_top(_renewed(m, d), d) for m in messages]
    sizes = np.array([len(m.events) for m in told], np.int64) // 8
    starts = np.concatenate([[0], np.cumsum(sizes)])
    n = int(starts[-1])
    events = _joined([m.events for m in told], "<i8")
    slots = _slots(told, _joined([m.keys for m in told], "<u8"), events, catalogue)
    moved = _joined([m.moved for m in told], "<i4").astype(np.int64)
    moved += np.repeat(starts[:-1], np.array([len(m.moved) for m in told], np.int64) // 4)
    c = catalogue
    apply_kernels.apply_changes(
        slots,
        apply_kernels.Told(
            starts,
            np.array([m.seen for m in told], np.int64),
            _joined([m.change for m in told], "<f4").reshape(n, d + 4),
            moved,
            _joined([m.context for m in told], "<f4").reshape(len(moved), d),
            _joined([m.weight for m in told], "<f8"),
            _joined([m.weight_at for m in told], "<f8"),
            events,
            _joined([m.sums for m in told], "<f8").reshape(-1, len(SPANS)),
        ),
        apply_kernels.Owned(
            c.q, c.y, c.bias, c.spread, c.popularity, c.popularity_at, c.sums, c.events, c.seen
        ),
        half_life_ms,
    )
    _apply_takers(told, slots, events, c)
    return Applied(slots, starts)


def _apply_takers(
    messages: Sequence[Deltas],
    slots: NDArray[np.int32],
    events: NDArray[np.int64],
    catalogue: Catalogue,
) -> None:
    """Add the users who took items for the first time, where messages count them."""
    if any(message.takers for message in messages):
        more = b"".join(m.takers or bytes(len(m.sums) // (8 * len(SPANS))) for m in messages)
        named, counts = slots[events > 0], np.frombuffer(more, np.uint8)
        takers.add(catalogue.takers, named[named >= 0], counts[named >= 0])


def _joined(parts: Sequence[bytes], dtype: str) -> NDArray[Any]:
    """One writable array of all parts: kernels are compiled only for such."""
    return np.frombuffer(bytearray().join(parts), dtype)


def _renewed(message: Deltas, d: int) -> Deltas:
    """A message of an older version in the form of version 6: with sums, as if all its events were
    of the latest time; of version 1 or 2, items by key and with a spread too."""
    if message.version >= 6:
        return message
    events = np.frombuffer(message.events, "<i8")
    weight = np.frombuffer(message.weight, "<f8")[events > 0]
    sums = np.repeat(weight, len(SPANS)).tobytes()
    message = msgspec.structs.replace(message, sums=sums)
    if message.version >= 3:
        return message
    change = np.zeros((len(events), d + 4), np.float32)
    if len(events):
        sent = np.frombuffer(message.change, "<f4").reshape(len(events), -1)
        change[:, : sent.shape[1]] = sent
    return msgspec.structs.replace(
        message,
        change=change.tobytes(),
        items=[item for item, n in zip(message.items, events, strict=True) if n > 0],
        keys=np.array([item_key(item) for item in message.items], np.uint64).tobytes(),
    )


def _on_top(message: Deltas, d: int) -> Deltas:
    """A message whose `context` is what to add to an item as part of a history: now q, which is
    part of that, changes it too, also of items that were in no window."""
    change = np.frombuffer(message.change, "<f4").reshape(-1, d + 4)
    context = np.zeros((len(change), d), np.float32)
    told = np.frombuffer(message.context, "<f4").reshape(-1, d)
    context[np.frombuffer(message.moved, "<i4")] = told
    put_on_top(context, change[:, :d], change[:, d + 1 :] if message.version > 2 else None)
    moved = np.arange(len(context), dtype=np.int32)
    return msgspec.structs.replace(message, moved=moved.tobytes(), context=context.tobytes())


def _slots(
    messages: Sequence[Deltas],
    keys: NDArray[np.uint64],
    events: NDArray[np.int64],
    catalogue: Catalogue,
) -> NDArray[np.int32]:
    """The slot of each row of messages; items with events that are new get one."""
    slots = catalogue.known(keys)
    new = np.flatnonzero((slots < 0) & (events > 0))
    if not len(new):
        return slots
    names = [name for message in messages for name in message.items]
    place = np.cumsum(events > 0) - 1
    slots[new] = catalogue.slots([names[k] for k in place[new].tolist()])
    # A new item that was drawn as a negative too, in a later message, is known by then.
    first = dict(zip(slots[new[::-1]].tolist(), new[::-1].tolist(), strict=True))
    drawn = np.flatnonzero(slots < 0)
    for row, slot in zip(drawn.tolist(), catalogue.known(keys[drawn]).tolist(), strict=True):
        if 0 <= first.get(slot, -1) < row:
            slots[row] = slot
    return slots
