"""The compiled loop of calibration: lists in the mix of categories of their users.

In: values of candidates, histories, categories; out: values as they were when each was chosen.
Names of sizes: `I` catalogue slots, `M` candidates, `N` items chosen, `C` categories of a user, `G`
of all.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

import numpy as np

from udfs.compiling import njit
from udfs.memory.history_kernels import recent
from udfs.memory.metadata import GROUPS
from udfs.ranking.steps.rerank_kernels import settle, sort

RECENT = 64
"""The last items of a history whose mix counts."""
KINDS = 32
"""C: so many of their categories count, those of the latest items."""
OF_ITEM = GROUPS - 1
"""Categories of an item."""
PRIOR = 0.5
"""How many items of exactly the user's mix each list is taken to begin with: the divergence is then
finite, and an item of a rare taste does not come first."""


@njit(cache=True, nogil=True, _nrt=False)
def own_kinds(groups, item, kinds):
    """How many different categories an item has, written to `kinds` (int32[OF_ITEM])."""
    count = 0
    for c in range(OF_ITEM):
        group, known = groups[item, c], False
        for before in range(count):
            known |= kinds[before] == group
        if group >= 0 and not known:
            kinds[count] = group
            count += 1
    return count


@njit(cache=True, nogil=True, _nrt=False)
def mix(user, history, groups, last, kinds, places, names, shares):
    """The mix p of a user's last liked items that have categories: each is of all of its own in
    equal parts.

    Args:
        last, kinds: int32[RECENT], int32[OF_ITEM], memory.
        places: int32[G], by category, −1; set to where in `names` those of the user are.
        names, shares: int32[C], float32[C], set to the categories and to p, whose sum is 1.

    Returns: how many categories there are.
    """
    count, total = 0, np.float32(0.0)
    for at in range(recent(user, history, 0, last)):
        j = last[at]
        if j < 0 or j >= groups.shape[0]:
            continue
        of = own_kinds(groups, j, kinds)
        for c in range(of):
            place = places[kinds[c]]
            if place < 0:
                if count == names.shape[0]:
                    continue
                place = places[kinds[c]] = count
                names[place], shares[place] = kinds[c], np.float32(0.0)
                count += 1
            part = np.float32(1.0) / np.float32(of)
            shares[place] += part
            total += part
    for c in range(count):
        shares[c] /= total
    return count


@njit(cache=True, nogil=True, _nrt=False)
def _set_gains(c, share, filled, gains):
    """Set what an item that is of category c by 1, 1/2, 1/3 … would add."""
    for of in range(OF_ITEM):
        gains[c, of] = share * np.log1p(np.float32(1.0) / (np.float32(of + 1) * filled))


@njit(cache=True, nogil=True, _nrt=False)
def _gain(own, gains):
    """What an item adds whose places in `gains` are `own`, and of how many categories it is."""
    total = np.float32(0.0)
    for c in range(OF_ITEM):
        total += gains[own[c], own[OF_ITEM]]
    return total


@njit(cache=True, nogil=True)
def calibrate(users, items, values, history, groups, places, n, strength):
    """Choose N candidates of each list one by one, each time the one with the largest

        z_j + λ Σ_g p_g log(1 + p_{g|j} / Q_g),   Q_g = a p_g + Σ_{i chosen} p_{g|i}

    and set values to that: of those chosen as it was then, of the others as it is at the end. p is
    the user's mix, p_{g|j} an item's, `PRIOR` is a. The sum of what is added is the fall of
    KL(p ‖ Q / Σ Q) as far as a list of given length can have it (Steck, *Calibrated
    Recommendations*, 2018, whose greedy search this is), and what an item adds only falls: so it
    is computed only where the item may be the next, see `settle`.

    Args:
        users, items, values: as in `Candidates`; values are changed. history: `History`.
        groups: int32[I, GROUPS], of which the first are categories, −1: none.
        places: int32[G], −1 for each category, as it is afterwards: memory.
        n: N. strength: λ.
    """
    most = items.shape[1]
    last, kinds = np.empty(RECENT, np.int32), np.empty(OF_ITEM, np.int32)
    names, shares = np.empty(KINDS, np.int32), np.empty(KINDS, np.float32)
    filled, gains = np.empty(KINDS, np.float32), np.zeros((KINDS + 1, OF_ITEM), np.float32)
    own = np.empty((most, OF_ITEM + 1), np.int64)
    worth, order = np.empty(most, np.float32), np.empty(most, np.int64)
    done, scale = np.empty(most, np.int64), np.float32(strength)
    for r in range(items.shape[0]):
        user, known = users[r], 0
        if user >= 0:
            known = mix(user, history, groups, last, kinds, places, names, shares)
        if known == 0:
            continue
        for c in range(known):
            filled[c] = np.float32(PRIOR) * shares[c]
            _set_gains(c, scale * shares[c], filled[c], gains)
        count = 0
        while count < most and items[r, count] >= 0:
            of = own_kinds(groups, items[r, count], kinds)
            own[count, OF_ITEM] = max(of, 1) - 1
            for c in range(OF_ITEM):
                place = places[kinds[c]] if c < of else -1
                # The last row of gains is that of no category of the user: nothing.
                own[count, c] = KINDS if place < 0 else place
            worth[count], done[count] = values[r, count] + _gain(own[count], gains), 0
            count += 1
        for c in range(known):
            places[names[c]] = -1
        sort(worth, count, order)
        for at in range(min(n, count)):
            k = order[at]
            while done[k] < at:
                worth[k], done[k] = values[r, k] + _gain(own[k], gains), at
                settle(worth, count, order, at)
                k = order[at]
            values[r, k] = worth[k]
            part = np.float32(1.0) / np.float32(own[k, OF_ITEM] + 1)
            for c in range(OF_ITEM):
                place = own[k, c]
                if place < KINDS:
                    filled[place] += part
                    _set_gains(place, scale * shares[place], filled[place], gains)
        for at in range(min(n, count), count):
            values[r, order[at]] += _gain(own[order[at]], gains)
