"""The compiled loops that make lists: the best items of each user, and their JSON.

In: factor matrices, history pages and cache slots; out: ranked slots and bytes. Like
`udfs.memory.history_kernels` they release the interpreter lock and have plain NumPy twins in the
tests. Names of sizes: `U` users in the cache, `I` catalogue slots, `d` factors, `N` items of a
list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np
from numba import njit

from udfs.memory.history_kernels import mark

_BLOCK = 32  # items whose bounds are looked at together
_SLACK = np.float32(2e-5)  # far above the rounding error of a sum of biases


@njit(cache=True, nogil=True, inline="always")
def insert(item, score, items, scores):
    """Put a score into the descending `scores` of a row, where the last one yields to it."""
    k = items.shape[0] - 1
    while k > 0 and (scores[k - 1] < score or (scores[k - 1] == score and items[k - 1] > item)):
        scores[k] = scores[k - 1]
        items[k] = items[k - 1]
        k -= 1
    scores[k] = score
    items[k] = item


@njit(cache=True, nogil=True)
def _possible(
    begin, stop, bias, along, across, to, far, least, alive, eaten, row, bound, hits
):  # fmt: skip
    """Set `hits` to the slots from `begin` to `stop` that may have `least` or more, by their
    bounds, and are alive and not `eaten`; returns how many."""
    some = np.int32(0)
    for k in range(stop - begin):
        j = np.uint32(begin + k)
        bound[k] = bias[j] + to * along[j] + far * across[j]
    for k in range(stop - begin):
        some += np.int32(bound[k] >= least)
    count = 0
    if some > 0:
        for k in range(stop - begin):
            j = np.uint32(begin + k)
            hits[count] = j
            count += (bound[k] >= least) & (eaten[j] != row) & alive[j]
    return count


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def _product(j, v, q, bias):
    total = np.float32(0.0)
    for f in range(v.shape[0]):
        total += v[f] * q[j, f]
    return bias[j] + total


@njit(cache=True, nogil=True)
def best_products(
    v, to, far, users, q, bias, alive, along, across, size, strong,
    exclude, tail, fill, older, pages, items, scores,
):  # fmt: skip
    """The items with the largest b_i + q_i·v_u of each user, best first, equal ones by lower slot.

    Exact: only items are left out whose bound b_i + (q_i·e)(v_u·e) + |…|·|…| (`kernels.measure`)
    lies below the worst score of a full list. `strong` items come first, to have one soon, then all
    by blocks, in which bounds are vectorised.

    Args:
        v, to, far: float32[rows, d], what each user wants; float32[rows] twice, v_u·e and the
            length of the rest.
        users: int32[rows], cache slots.
        q, bias, alive, along, across: float32[I, d], float32[I], bool[I], float32[I] twice; the
            first `size` are in use.
        strong: int32[S], slots to try first, set to those of the last lists. They change no list.
        exclude: leave out what each user has consumed, by its history pages (see `consumed`).
        items, scores: int32[rows, N] and float32[rows, N], set; −1 and −inf where a row has fewer
            than N items.
    """
    n, at = items.shape[1], 0
    eaten = np.full(q.shape[0], -1, np.int32)
    bound, hits = np.empty(_BLOCK, np.float32), np.empty(_BLOCK + 1, np.int32)
    for r in range(users.shape[0]):
        # Taken out once: a row taken out within a loop is counted each time.
        row, best, wanted = items[r], scores[r], v[r]
        row[:] = -1
        best[:] = -np.inf
        worst = np.float32(-np.inf)
        if exclude:
            mark(r, users[r], tail, fill, older, pages, eaten)
        for j in strong:
            if j < size and eaten[j] != r and alive[j]:
                eaten[j] = r
                score = _product(j, wanted, q, bias)
                if score > worst or (score == worst and j < row[n - 1]):
                    insert(j, score, row, best)
                    worst = best[n - 1]
        for begin in range(0, size, _BLOCK):
            count = _possible(
                begin, min(begin + _BLOCK, size), bias, along, across, to[r], far[r],
                worst - _SLACK, alive, eaten, r, bound, hits,
            )  # fmt: skip
            for k in range(count):
                score = _product(hits[k], wanted, q, bias)
                if score > worst or (score == worst and hits[k] < row[n - 1]):
                    insert(hits[k], score, row, best)
                    worst = best[n - 1]
        for k in range(n):
            if row[k] >= 0:
                strong[at] = row[k]
                at = (at + 1) % strong.shape[0]


@njit(cache=True, nogil=True)
def first_unseen(order, room, users, exclude, tail, fill, older, pages, items):
    """The first N of `order` (int32[m], slots) for each user, without what the user has consumed.

    Args:
        room: all of `order` are below it; a history may name slots that are not.
        users: int32[rows], cache slots, −1 for nobody. exclude, tail, …: as in `best_products`.
        items: int32[rows, N], set; −1 where a row has fewer than N items.
    """
    eaten = np.full(room if exclude else 0, -1, np.int32)
    for r in range(users.shape[0]):
        if exclude and users[r] >= 0:
            mark(r, users[r], tail, fill, older, pages, eaten)
        items[r, :] = -1
        count = 0
        for j in order:
            if count == items.shape[1]:
                break
            if exclude and eaten[j] == r:
                continue
            items[r, count] = j
            count += 1


@njit(cache=True, nogil=True)
def top_n(scores, alive, items, best):
    """The best living items of each row of `scores` (float32[rows, I]), equal ones by lower slot.

    Args:
        alive: bool[I]. items, best: int32[rows, N], float32[rows, N], set; −1 and −inf where a row
            has fewer than N items.
    """
    n = items.shape[1]
    for r in range(scores.shape[0]):
        items[r, :] = -1
        best[r, :] = -np.inf
        for j in range(scores.shape[1]):
            if scores[r, j] > best[r, n - 1] and alive[j]:
                insert(j, scores[r, j], items[r], best[r])


@njit(cache=True, nogil=True)
def fill_up(items, scores, models, more, model):
    """Fill lists that are short with items of `more` that they lack, in order.

    Args:
        items, scores, models: int32[rows, N], float32[rows, N], int8[rows, N], changed in place; a
            filled place gets half the score of the one before it, and `model`.
        more: int32[rows, M], −1 where there are no more.
    """
    for r in range(items.shape[0]):
        at = 0
        while at < items.shape[1] and items[r, at] >= 0:
            at += 1
        for j in more[r]:
            if at == items.shape[1] or j < 0:
                break
            known = False
            for k in range(at):
                known = known or items[r, k] == j
            if not known:
                items[r, at] = j
                scores[r, at] = scores[r, at - 1] / 2 if at else np.float32(1.0)
                models[r, at] = model
                at += 1


@njit(cache=True, nogil=True)
def write_items(
    items, scores, models, reasons, text, text_at, text_length, why, why_at, because, out, ends
):
    """Write the JSON of the items of each list into `out` (uint8), one list after the other.

    Args:
        items, scores: int32[rows, N] (a negative one ends a list), float32[rows, N] in 0 to 1,
            written with four decimals.
        models, reasons: int8[rows, N], int32[rows, N, R]: what put the item there, and the items
            (−1: none) that speak for it.
        text, text_at, text_length: the items' fragments, `{"item":…,"score":` (see `Catalogue`).
        why, why_at: uint8, int32[M + 1]: `,"why":{"model":…` of each model. because: uint8, what
            comes before the reasons, `,"because":[`.
        ends: int64[rows], set to where each list ends in `out`.
    """
    end = 0
    for row in range(items.shape[0]):
        for k in range(items.shape[1]):
            j = items[row, k]
            if j < 0:
                break
            if k > 0:
                out[end] = 44
                end += 1
            end = _copy(text, text_at[j], text_at[j] + text_length[j], out, end)
            digits = np.int64(np.float64(scores[row, k]) * 10000.0 + 0.5)
            digits = min(max(digits, np.int64(0)), np.int64(10000))
            out[end] = 48 + digits // 10000
            out[end + 1] = 46
            for place in range(4):
                out[end + 5 - place] = 48 + digits % 10
                digits //= 10
            end += 6
            model = models[row, k]
            end = _copy(why, why_at[model], why_at[model + 1], out, end)
            given = 0
            for place in range(reasons.shape[2]):
                h = reasons[row, k, place]
                if h >= 0 and text_length[h] > 0:
                    if given == 0:
                        end = _copy(because, 0, because.shape[0], out, end)
                    else:
                        out[end] = 44
                        end += 1
                    # The id alone: the fragment without `{"item":` and `,"score":`.
                    end = _copy(text, text_at[h] + 8, text_at[h] + text_length[h] - 9, out, end)
                    given += 1
            if given > 0:
                out[end] = 93
                end += 1
            out[end] = 125
            out[end + 1] = 125
            end += 2
        ends[row] = end


@njit(cache=True, nogil=True, inline="always")
def _copy(source, begin, stop, out, end):
    for c in range(begin, stop):
        out[end] = source[c]
        end += 1
    return end
