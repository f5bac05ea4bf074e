"""The compiled loop that writes the JSON of lists.

In: ranked slots, the items' fragments and what stands around them; out: bytes. Names of sizes: `N`
items of a list.
"""

# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.compiling import njit
from udfs.lists.copying import copy

_CONSUMED = np.frombuffer(b',"consumed":[', np.uint8)


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


class Around(NamedTuple):
    """What stands around the items of each list.

    Attributes:
        text: uint8: up to `head` what stands before an owner's name, up to `after` what follows
            it, up to `rest` what follows the number of the list; then, unless the lists are shared,
            the names as a JSON array.
        numbers: int64[rows], at least 0, written in hexadecimal; or int64[0]: none.
    """

    text: NDArray[np.uint8]
    head: int
    after: int
    rest: int
    numbers: NDArray[np.int64]


@njit(cache=True, nogil=True)
def _room(lists, texts, around):
    """How many bytes `write_lists` needs at most."""
    lengths, because = texts.text_length, texts.because.shape[0]
    items, reasons, consumed = lists.items, lists.reasons, lists.consumed
    rows, why = items.shape[0], 12  # a comma, a score, two braces, a bracket
    room = around.text.shape[0] + rows * (around.rest + 36)  # a number, the ends of two arrays
    for model in range(texts.why_at.shape[0] - 1):
        why = max(why, np.int64(texts.why_at[model + 1] - texts.why_at[model]) + because + 12)
    for row in range(rows):
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
def write_lists(lists, texts, around, out, ends):
    """Write the JSON of each list into `out` (uint8), one after the other.

    Args:
        lists, texts, around: `Items`, `Texts` and `Around`. ends: int64[rows], set to where each
            list ends in `out`.

    Returns: 0, or how many bytes of `out` are needed, where there are not so many: then nothing is
    written.
    """
    needed = _room(lists, texts, around)
    if needed > out.shape[0]:
        return needed
    reasons, consumed = lists.reasons, lists.consumed
    items, scores, models = lists.items, lists.scores, lists.models
    around_text, numbers = around.text, around.numbers
    text, text_at, text_length = texts.text, texts.text_at, texts.text_length
    why, why_at, because = texts.why, texts.why_at, texts.because
    end, name = 0, around.rest + 1
    for row in range(items.shape[0]):
        end = copy(around_text, 0, around.head, out, end)
        if name < around_text.shape[0]:
            stop = _closing(around_text, name)
            end = copy(around_text, name, stop, out, end)
            name = stop + 1
        end = copy(around_text, around.head, around.after, out, end)
        if numbers.shape[0] > 0:
            end = _hexadecimal(numbers[row], out, end)
        end = copy(around_text, around.after, around.rest, out, end)
        for k in range(items.shape[1]):
            j = items[row, k]
            if j < 0:
                break
            if k > 0:
                out[end] = 44
                end += 1
            end = copy(text, text_at[j], text_at[j] + text_length[j], out, end)
            end = _score(scores[row, k], out, end)
            model = models[row, k]
            end = copy(why, why_at[model], why_at[model + 1], out, end)
            given = 0
            for place in range(reasons.shape[2]):
                h = reasons[row, k, place]
                if h >= 0 and text_length[h] > 0:
                    if given == 0:
                        end = copy(because, 0, because.shape[0], out, end)
                    else:
                        out[end] = 44
                        end += 1
                    end = copy(text, text_at[h] + 8, text_at[h] + text_length[h] - 9, out, end)
                    given += 1
            if given > 0:
                out[end] = 93
                end += 1
            out[end] = 125
            out[end + 1] = 125
            end += 2
        out[end] = 93
        end += 1
        begin = end
        for k in range(consumed.shape[1]):
            h = consumed[row, k]
            if h >= 0 and text_length[h] > 0:
                if end == begin:
                    end = _consumed(out, end)
                else:
                    out[end] = 44
                    end += 1
                # The id alone: the fragment without `{"item":` and `,"score":`.
                end = copy(text, text_at[h] + 8, text_at[h] + text_length[h] - 9, out, end)
        if end > begin:
            out[end] = 93
            end += 1
        out[end] = 125
        end += 1
        ends[row] = end
    return 0


@njit(cache=True, nogil=True, _nrt=False)
def _consumed(out, end):
    """Write `,"consumed":[`."""
    return copy(_CONSUMED, 0, _CONSUMED.shape[0], out, end)


@njit(cache=True, nogil=True, _nrt=False)
def _closing(text, begin):
    """Where the JSON string that begins at `begin` ends."""
    end = begin + 1
    while text[end] != 34:
        end += 2 if text[end] == 92 else 1
    return end + 1


@njit(cache=True, nogil=True, _nrt=False)
def _hexadecimal(number, out, end):
    """Write a number of at least 0 in hexadecimal."""
    digits = 1
    while digits < 16 and number >> (4 * digits) > 0:
        digits += 1
    for place in range(digits - 1, -1, -1):
        digit = (number >> (4 * place)) & 15
        out[end] = digit + (48 if digit < 10 else 87)
        end += 1
    return end


@njit(cache=True, nogil=True, _nrt=False)
def _score(score, out, end):
    """Write a score of 0 to 1 with four decimals."""
    digits = np.int64(np.float64(score) * 10000.0 + 0.5)
    digits = min(max(digits, np.int64(0)), np.int64(10000))
    out[end] = 48 + digits // 10000
    out[end + 1] = 46
    for place in range(4):
        out[end + 5 - place] = 48 + digits % 10
        digits //= 10
    return end + 6
