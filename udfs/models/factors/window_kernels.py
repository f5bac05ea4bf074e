"""The compiled loops of the window: what a user's last items say about what comes next.

In: the factors of users and items, the users' history pages. Out: what each user wants; factors of
the window's items, and the weights of its places, changed in place. Names of sizes: as in
`softmax_kernels`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import PAGE
from udfs.memory.vector_kernels import clip

FLOOR = np.float32(0.03)  # below the root of a step: the first one is η / √.03, nearly 6 η


@njit(cache=True, nogil=True, _nrt=False)
def window(user, target, history, alive, recent):
    """The last items a user liked, newest first, without `target`, the dead and the disliked.

    Args:
        user, target: a cache slot; the item to leave out, −1 for none.
        history: `History`. alive: bool[I].
        recent: int32[L], set.

    Returns: how many items, at most L.
    """
    older, pages, disliked = history.older, history.pages, history.disliked
    count = 0
    page, length = history.tail[user], history.fill[user]
    while page >= 0 and count < recent.shape[0]:
        for back in range(length):
            k = length - 1 - back
            j = pages[page, k]
            if j == target or not alive[j] or (disliked[page] >> np.uint32(k)) & np.uint32(1):
                continue
            recent[count] = j
            count += 1
            if count == recent.shape[0]:
                break
        page, length = older[page], PAGE
    return count


@njit(cache=True, nogil=True, _nrt=False)
def last_liked(user, history, alive):
    """The first item of `window` without a target, −1 if there is none."""
    older, pages, disliked = history.older, history.pages, history.disliked
    page, length = history.tail[user], history.fill[user]
    while page >= 0:
        for k in range(length - 1, -1, -1):
            j = pages[page, k]
            if alive[j] and not (disliked[page] >> np.uint32(k)) & np.uint32(1):
                return j
        page, length = older[page], PAGE
    return np.int32(-1)


@njit(cache=True, nogil=True, _nrt=False)
def vector(own, q, y, recent, count, places, out):
    """Set `out` to a user's own factor plus the window's part, as in `vectors`."""
    weights, part, shared = places.weights, places.scale[count], places.shared
    for f in range(out.shape[0]):
        out[f] = own[f]
    for k in range(count):
        front, back, place = q[recent[k]], y[recent[k]], weights[k]
        for f in range(out.shape[0]):
            out[f] += part * place[f] * (shared * front[f] + back[f])


@njit(cache=True, nogil=True)
def vectors(users, p, history, q, y, alive, places, out):
    """What users (int32[rows], cache slots) want now: set `out` (float32[rows, d]) to

        v_u = p_u + Σ_k c_k ∘ (q_{h_k} + y_{h_k}) / √Σ_k w_k

    over the last L items h_k that u liked, c_k = `places.weights[k]`, which begins at w_k; without
    q unless `places.shared`. Other arguments as in `window`, `UserFactors` and `ItemFactors`.
    """
    recent = np.empty(places.weights.shape[0], np.int32)
    for r in range(users.shape[0]):
        count = window(users[r], -1, history, alive, recent)
        vector(p[users[r]], q, y, recent, count, places, out[r])


@njit(cache=True, nogil=True, _nrt=False)
def pull_by_place(row, gradient, step, place, part, regularisation):
    """Move a row along a gradient that reaches it times `part`·`place` (float32[d]): the less that
    is, the less the row moves, and the less it is pulled towards 0."""
    for f in range(row.shape[0]):
        share = step * part * place[f]
        kept = max(np.float32(1.0) - abs(share) * regularisation, np.float32(0.0))
        row[f] = clip(kept * row[f] + share * gradient[f])


@njit(cache=True, nogil=True, _nrt=False, fastmath={"reassoc", "contract"})
def energy_of(gradient, place, part):
    """The mean square of a gradient times `part`·`place`."""
    total = np.float32(0.0)
    for f in range(gradient.shape[0]):
        total += (part * place[f] * gradient[f]) ** 2
    return total / np.float32(gradient.shape[0])


@njit(cache=True, nogil=True, _nrt=False)
def learn_place(front, back, place, squares, gradient, part, steps, regularisation):
    """Move an item of the window, its q (`front`) and y (`back`), and the weights of its place, all
    along their gradients from before; y is pulled towards 0 as in `pull_by_place`.

    Args:
        place, squares: float32[d], the weights and the sums of their squared gradients.
        gradient: float32[d], of the user's vector. part: 1 / √Σw.
        steps: how far q, y and the weights go; the last is divided by the root of `squares` here.
    """
    to_front, to_back, step = steps
    for f in range(place.shape[0]):
        slope, share = part * gradient[f], part * place[f]
        of_place, reach = slope * (front[f] + back[f]), share * gradient[f]
        kept = max(np.float32(1.0) - to_back * abs(share) * regularisation, np.float32(0.0))
        front[f] = clip(front[f] + to_front * reach)
        back[f] = clip(kept * back[f] + to_back * reach)
        squares[f] += of_place * of_place
        place[f] = clip(place[f] + step * of_place / np.sqrt(squares[f] + FLOOR))
