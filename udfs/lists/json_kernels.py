"""The compiled loop that writes the JSON of lists.

In: ranked slots and the items' fragments; out: bytes. Names of sizes: `N` items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit


class Items(NamedTuple):
    """Ranked items.

    Attributes:
        items, scores: int32[rows, N] (a negative one ends a list), float32[rows, N] in 0 to 1,
            written with four decimals.
        models, reasons: int8[rows, N], int32[rows, N, R]: the source of the item, and the items
            (−1: none) that explain it.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]
    reasons: NDArray[np.int32]


class Texts(NamedTuple):
    """Fragments of JSON, concatenated as uint8, with the start of each.

    Attributes:
        text, text_at, text_length: of the items, `{"item":…,"score":` (see `Catalogue`).
        why, why_at: uint8, int32[M + 1]: `,"why":{"model":…` of each model.
        because: the text before the reasons, `,"because":[`.
    """

    text: NDArray[np.uint8]
    text_at: NDArray[Any]
    text_length: NDArray[Any]
    why: NDArray[np.uint8]
    why_at: NDArray[np.int32]
    because: NDArray[np.uint8]


@njit(cache=True, nogil=True)
def write_items(lists, texts, out, ends):
    """Write the JSON of the items of each list into `out` (uint8), one list after the other.

    Args:
        lists, texts: `Items` and `Texts`. ends: int64[rows], set to where each list ends in `out`.
    """
    items, scores, models, reasons = lists.items, lists.scores, lists.models, lists.reasons
    text, text_at, text_length = texts.text, texts.text_at, texts.text_length
    why, why_at, because = texts.why, texts.why_at, texts.because
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
