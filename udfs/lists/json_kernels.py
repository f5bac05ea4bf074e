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
        consumed: int32[rows, K], the items that are named after them, −1 where there are fewer.
    """

    items: NDArray[np.int32]
    scores: NDArray[np.float32]
    models: NDArray[np.int8]
    reasons: NDArray[np.int32]
    consumed: NDArray[np.int32]


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
def _room(lists, texts):
    """How many bytes `write_items` needs at most."""
    lengths, because = texts.text_length, texts.because.shape[0]
    items, reasons, consumed = lists.items, lists.reasons, lists.consumed
    room, why = 0, 12  # a comma, a score, two braces, a bracket
    for model in range(texts.why_at.shape[0] - 1):
        why = max(why, np.int64(texts.why_at[model + 1] - texts.why_at[model]) + because + 12)
    for row in range(items.shape[0]):
        for k in range(items.shape[1]):
            if items[row, k] < 0:
                break
            room += lengths[items[row, k]] + why
            for place in range(reasons.shape[2]):
                if reasons[row, k, place] >= 0:
                    room += lengths[reasons[row, k, place]]
        for k in range(consumed.shape[1]):
            if consumed[row, k] >= 0:
                room += lengths[consumed[row, k]]
    return room


@njit(cache=True, nogil=True)
def write_items(lists, texts, out, ends):
    """Write the JSON of the items of each list into `out` (uint8), one list after the other, each
    followed by the ids of what its user has consumed.

    Args:
        lists, texts: `Items` and `Texts`. ends: int64[rows, 2], set to where the items of each list
            and its ids end in `out`.

    Returns: 0, or how many bytes of `out` are needed, where there are not so many: then nothing is
    written.
    """
    needed = _room(lists, texts)
    if needed > out.shape[0]:
        return needed
    items, scores, models, reasons = lists.items, lists.scores, lists.models, lists.reasons
    text, text_at, text_length = texts.text, texts.text_at, texts.text_length
    why, why_at, because = texts.why, texts.why_at, texts.because
    consumed, end = lists.consumed, 0
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
                    end = _copy(text, text_at[h] + 8, text_at[h] + text_length[h] - 9, out, end)
                    given += 1
            if given > 0:
                out[end] = 93
                end += 1
            out[end] = 125
            out[end + 1] = 125
            end += 2
        ends[row, 0] = begin = end
        for k in range(consumed.shape[1]):
            h = consumed[row, k]
            if h >= 0 and text_length[h] > 0:
                if end > begin:
                    out[end] = 44
                    end += 1
                # The id alone: the fragment without `{"item":` and `,"score":`.
                end = _copy(text, text_at[h] + 8, text_at[h] + text_length[h] - 9, out, end)
        ends[row, 1] = end
    return 0


@njit(cache=True, nogil=True, inline="always")
def _copy(source, begin, stop, out, end):
    for c in range(begin, stop):
        out[end] = source[c]
        end += 1
    return end
