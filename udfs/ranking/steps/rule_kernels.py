"""The compiled loop that makes lists of N items out of longer ones, as the rules say.

In: ranked candidates, what is known of items, the rules that look at whole lists; out: lists. Names
of sizes: `I` catalogue slots, `M` candidates of a list, `N` items of one, `R` rules, `S` spares.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import consumed


class Facts(NamedTuple):
    """What is known of items, by slot.

    Attributes:
        boost: float32[I], the logarithm of what the chance of an item is multiplied by.
        groups: int32[I, G], the groups that an item is in; −1: none. bits: uint32[I].
        shown: bool[I], what lists may have.
    """

    boost: Any
    groups: Any
    bits: Any
    shown: Any


class Listed(NamedTuple):
    """Rules about lists, R of each kind: an item is meant by a rule whose bit it has.

    Attributes:
        caps: int64[R, 3]: a bit, at most how many, and of which column of `groups` each; −1: all.
        quotas: int64[R, 2]: a bit, at least how many. pins: int64[R, 2]: a bit, at which place
            from 0, ascending.
        spare: int32[R, S], for the pins and then for the quotas: items that are meant, the best
            first, −1 where there are fewer.
    """

    caps: Any
    quotas: Any
    pins: Any
    spare: Any


class Room(NamedTuple):
    """Memory of the kernel, of M + R·S candidates and spare items: int32, float32, int32, int32;
    int32[N], which of them are in the list, and int32[N], at which place."""

    items: Any
    scores: Any
    columns: Any
    order: Any
    chosen: Any
    pinned: Any


class Out(NamedTuple):
    """Lists, set: int32[rows, N], float32[rows, N], −1 and −inf where a list ends; int32[rows, N],
    which candidate of the row each is, −1: it was a spare item."""

    items: Any
    scores: Any
    columns: Any


@njit(cache=True, nogil=True, _nrt=False)
def _has(item, bit, bits):
    return (bits[item] >> np.uint32(bit)) & np.uint32(1) != 0


@njit(cache=True, nogil=True, _nrt=False)
def _counted(bit, column, group, room, count, facts):
    """How many of the first `count` chosen are meant, and are in a group (column −1: in any)."""
    found = 0
    for k in range(count):
        item = room.items[room.chosen[k]]
        if _has(item, bit, facts.bits) and (column < 0 or facts.groups[item, column] == group):
            found += 1
    return found


@njit(cache=True, nogil=True, _nrt=False)
def _allowed(item, room, count, facts, caps):
    """Whether no cap is exceeded by an item beside the first `count` chosen."""
    for r in range(caps.shape[0]):
        bit, most, column = caps[r, 0], caps[r, 1], caps[r, 2]
        if not _has(item, bit, facts.bits):
            continue
        group = facts.groups[item, column] if column >= 0 else np.int32(0)
        if group >= 0 and _counted(bit, column, group, room, count, facts) >= most:
            return False
    return True


@njit(cache=True, nogil=True, _nrt=False)
def _weighed(items, scores, boost, room):
    """Set `room.order` to the candidates, the best first by score times boost; returns how many
    there are."""
    order, values, count = room.order, room.scores, 0
    for k in range(items.shape[0]):
        if items[k] < 0:
            break
        value = scores[k] * np.exp(boost[items[k]])
        room.items[k], room.columns[k], values[k] = items[k], k, value
        at = count
        while at > 0 and values[order[at - 1]] < value:
            order[at] = order[at - 1]
            at -= 1
        order[at] = k
        count += 1
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _is_chosen(k, room, count):
    found = False
    for at in range(count):
        found |= room.chosen[at] == k
    return found


@njit(cache=True, nogil=True, _nrt=False)
def _more(spare, user, history, exclude, shown, room, total):
    """Add the first of `spare` that is no candidate yet, may be shown and was not consumed to the
    candidates; returns how many there are then."""
    for item in spare:
        if item < 0:
            break
        known = not shown[item]
        for k in range(total):
            known |= room.items[room.order[k]] == item
        if known or (
            exclude
            and user >= 0
            and consumed(item, user, history.tail, history.fill, history.older, history.pages)
        ):
            continue
        # Candidates are numbered as they were given, and these come after them.
        k = total
        room.items[k], room.columns[k], room.scores[k], room.order[k] = item, -1, 0.0, k
        return total + 1
    return total


@njit(cache=True, nogil=True, _nrt=False)
def _pin(listed, n, user, history, exclude, facts, room, total):
    """Choose what is pinned; returns how many are chosen, and how many candidates there are."""
    count, pins = 0, listed.pins
    for r in range(pins.shape[0]):
        if count == n or pins[r, 1] >= n:
            break
        for attempt in range(2):
            found = -1
            for at in range(total):
                k = room.order[at]
                meant = _has(room.items[k], pins[r, 0], facts.bits)
                if meant and not _is_chosen(k, room, count):
                    found = k
                    break
            if found >= 0 or attempt == 1:
                break
            spare = listed.spare[r]
            total = _more(spare, user, history, exclude, facts.shown, room, total)
        if found >= 0:
            room.chosen[count], room.pinned[count] = found, pins[r, 1]
            count += 1
    return count, total


@njit(cache=True, nogil=True, _nrt=False)
def _spared(count, pinned, quotas, facts, room):
    """The last of the chosen that no quota needs, −1 if there is none."""
    for at in range(count - 1, pinned - 1, -1):
        item, needed = room.items[room.chosen[at]], False
        for r in range(quotas.shape[0]):
            bit = quotas[r, 0]
            if _has(item, bit, facts.bits):
                needed |= _counted(bit, -1, 0, room, count, facts) <= quotas[r, 1]
        if not needed:
            return at
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def _take(bit, n, count, pinned, total, listed, facts, room):
    """Choose one more item with a bit, in the place of another if the list is full; returns how
    many are chosen, −1 if that is impossible."""
    out, left, last = -1, count, np.int32(0)
    if count == n:
        out = _spared(count, pinned, listed.quotas, facts, room)
        if out < 0:
            return -1
        last = room.chosen[out]
        for at in range(out, count - 1):
            room.chosen[at] = room.chosen[at + 1]
        left = count - 1
    for at in range(total):
        k = room.order[at]
        item = room.items[k]
        if not _has(item, bit, facts.bits) or _is_chosen(k, room, left):
            continue
        if _allowed(item, room, left, facts, listed.caps):
            room.chosen[left] = k
            return left + 1
    if out >= 0:  # as it was
        for at in range(left, out, -1):
            room.chosen[at] = room.chosen[at - 1]
        room.chosen[out] = last
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def _fill_quotas(listed, n, count, pinned, user, history, exclude, facts, room, total):
    """Choose what the quotas want; returns how many are chosen then."""
    quotas = listed.quotas
    for r in range(quotas.shape[0]):
        bit, least = quotas[r, 0], quotas[r, 1]
        while _counted(bit, -1, 0, room, count, facts) < least:
            then = _take(bit, n, count, pinned, total, listed, facts, room)
            if then < 0:
                spare = listed.spare[listed.pins.shape[0] + r]
                more = _more(spare, user, history, exclude, facts.shown, room, total)
                if more == total:
                    break
                total = more
                continue
            count = then
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _write(row, count, pinned, room, total, out):
    """Set a row of `out`: what is pinned at its place, or at the end of a shorter list; the others
    in their order."""
    items, scores, columns = out.items, out.scores, out.columns
    at = given = 0
    largest = np.float32(1.0)
    for place in range(count):
        if given < pinned and (room.pinned[given] <= place or count - place == pinned - given):
            k = room.chosen[given]
            given += 1
        else:
            while True:
                k = room.order[at]
                at += 1
                if _is_chosen(k, room, count) and not _is_chosen(k, room, pinned):
                    break
        items[row, place], columns[row, place] = room.items[k], room.columns[k]
        scores[row, place] = room.scores[k]
        largest = max(largest, room.scores[k])
    for place in range(count):
        scores[row, place] /= largest


@njit(cache=True, nogil=True)
def apply_rules(items, scores, users, history, exclude, facts, listed, room, out):
    """Lists of the best N of M candidates, as the rules say.

    The score of an item is multiplied by its boost. What is pinned is chosen first: for each place
    the best candidate that is meant, or the first spare item. Then come the best candidates that
    exceed no cap; then, for each quota that is not met, the best of those that are meant take the
    places of the last that no quota needs. All but what is pinned is in the order of its score.
    A list without any candidate stays empty.

    Args:
        items, scores: int32[rows, M], float32[rows, M] in 0 to 1; the first −1 ends a list.
        users: int32[rows], cache slots, −1: nobody. history: `History`. exclude: whether spare
            items that a user has consumed are left out.
        facts, listed, room: `Facts`, `Listed`, `Room`. out: `Out`, set; scores in 0 to 1.
    """
    n = out.items.shape[1]
    for row in range(items.shape[0]):
        out.items[row, :] = -1
        out.columns[row, :] = -1
        out.scores[row, :] = -np.inf
        total = _weighed(items[row], scores[row], facts.boost, room)
        if total == 0:
            continue
        candidates, user = total, users[row]
        count, total = _pin(listed, n, user, history, exclude, facts, room, total)
        pinned = count
        for at in range(candidates):
            if count == n:
                break
            k = room.order[at]
            if not _is_chosen(k, room, pinned) and _allowed(
                room.items[k], room, count, facts, listed.caps
            ):
                room.chosen[count] = k
                count += 1
        count = _fill_quotas(listed, n, count, pinned, user, history, exclude, facts, room, total)
        _write(row, count, pinned, room, total, out)
