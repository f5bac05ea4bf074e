"""What an item is, as a vector: hashed words, trigrams, categories, tags, provider, price, year.

In: the fields of an item, or the words of a query. Out: int8[WIDTH], a unit vector times 127, all 0
where nothing is known. Vectors whose product is large are of things that are alike.

Each token has a vector of signs, which its hash gives (random projection: Achlioptas 2003; hashing:
Weinberger et al. 2009), so nothing is learned, stored or downloaded, and all processes agree. The
tokens of one kind of field are a group of unit length times the group's weight: a long text does
not drown a category. Two unlike items have a product of 0 ± 1/√WIDTH.

A title of three words with two categories takes some 30 µs, a text of 100 words some 60 more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import floor, isfinite, log2
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.models.content.tokens import plain, trigrams, words

WIDTH = 64
"""Numbers of a vector; a multiple of 8."""

TITLE, TRIGRAMS, TEXT = 0.6, 0.3, 0.4
CATEGORIES, TAGS, PROVIDER, PRICE, YEAR, ATTRIBUTES = 1.0, 0.7, 0.5, 0.3, 0.7, 0.5
DENSE = {"vector": 1.5, "text_vector": 0.7, "image_vector": 1.5}
"""The lengths of the groups: what each kind of field counts, before the whole is brought to length
1. A dense vector comes from a model of language or images, which knows more than the letters; that
of a text comes beside the text's own words."""

SHORT = 3
"""Words up to so many characters, most of them "of" and "the", count half: how common a word is
would be better, and would need state."""
MOST_WORDS = 100
"""Words of a text that count, the first."""
_BANDS = 2.0
"""Price bands in a doubling of the price."""
_YEAR_MS = 365.2425 * 86_400_000

_SIGNS = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
_BYTES = WIDTH // 8

Weighted = Sequence[tuple[str, float]]


def content_vector(fields: Mapping[str, Any]) -> NDArray[np.int8]:
    """The vector of an item, int8[WIDTH], by its fields; all 0 if none of them says what it is.

    Args:
        fields: as `udfs.events.item_changes.FIELDS` names them, clean and typed; others are passed
            over.

    >>> tea, pot, drill = (
    ...     content_vector({"title": title, "categories": [kind]}) / 127.0
    ...     for title, kind in (("Green tea", "tea"), ("Tea pot", "tea"), ("Drill", "tools"))
    ... )
    >>> bool(tea @ pot > 0.5), bool(abs(tea @ drill) < 0.4)
    (True, True)
    """
    named = words(fields.get("title") or "", MOST_WORDS)
    grams = [gram for word in named for gram in trigrams(word)]
    price = fields.get("price")
    groups: list[tuple[float, Weighted]] = [
        (TITLE, _words(named)),
        (TRIGRAMS, [(gram, 1.0) for gram in grams]),
        (CATEGORIES, _names("category", fields.get("categories") or ())),
        (TAGS, _names("tag", fields.get("tags") or ())),
        (PROVIDER, _names("provider", [fields["provider"]] if fields.get("provider") else ())),
        (PRICE, _price(price, fields.get("currency") or "") if price else ()),
        (YEAR, _year(fields["published"]) if fields.get("published") else ()),
        (TEXT, _words(words(fields.get("text") or "", MOST_WORDS))),
        (ATTRIBUTES, _attributes(fields.get("attributes") or {})),
    ]
    total = _sum(groups)
    for name, length in DENSE.items():
        if vector := fields.get(name):
            total += length * _projected(vector)
    return _packed(total)


def query_vector(text: str) -> NDArray[np.int8]:
    """The vector of words that somebody looks for, int8[WIDTH]; all 0 if there are none.

    >>> found = content_vector({"title": "Red kettle"}) / 127.0 @ query_vector("kettle") / 127.0
    >>> bool(found > 0.5), bool(query_vector("?!").any())
    (True, False)
    """
    named = words(text, MOST_WORDS)
    grams = [(gram, 1.0) for word in named for gram in trigrams(word)]
    return _packed(_sum([(TITLE, _words(named)), (TRIGRAMS, grams)]))


def _words(found: Iterable[str]) -> Weighted:
    return [(word, 0.5 if len(word) <= SHORT else 1.0) for word in found]


def _names(kind: str, names: Iterable[str]) -> Weighted:
    """Each name as a whole, and its words, so that a query for them finds it."""
    found = []
    for name in names:
        own = words(name, MOST_WORDS)
        found.append((f"{kind}:{plain(name)}", 1.0))
        found += [(word, 0.3) for word in own]
    return found


def _price(price: float, currency: str) -> Weighted:
    """The price band and its two neighbours, so that 49.90 and 50.10 are alike."""
    if not (isfinite(price) and price > 0):
        return []
    band = floor(_BANDS * log2(price))
    return [(f"price:{currency}:{band + k}", 1.0 - 0.5 * abs(k)) for k in (-1, 0, 1)]


def _year(published: int) -> Weighted:
    """The year of a time in ms since 1970."""
    return [(f"year:{floor(published / _YEAR_MS)}", 1.0)]


def _attributes(attributes: Mapping[str, Any]) -> Weighted:
    """Those that are words or yes; a number says nothing without its scale."""
    found = []
    for name, value in attributes.items():
        values = value if isinstance(value, list) else [value]
        for each in values:
            if isinstance(each, str):
                found.append((f"{name}:{plain(each)}", 1.0))
                found += [(word, 0.3) for word in words(each, 5)]
            elif each is True:
                found.append((f"{name}:true", 1.0))
    return found


@lru_cache(65_536)
def _hash(token: str) -> bytes:
    """The bits of a token's signs."""
    return blake2b(token.encode(errors="replace"), digest_size=_BYTES).digest()


def _sum(groups: Iterable[tuple[float, Weighted]]) -> NDArray[np.float64]:
    """The sum of the groups' tokens, each group of about its length: float64[WIDTH]."""
    hashes, weights = [], []
    for length, tokens in groups:
        whole = sum(weight * weight for _, weight in tokens)
        scale = length / (whole * WIDTH) ** 0.5 if whole else 0.0
        for token, weight in tokens:
            hashes.append(_hash(token))
            weights.append(weight * scale)
    bits = np.frombuffer(b"".join(hashes), np.uint8).reshape(-1, _BYTES)
    signs = _SIGNS[bits].reshape(-1, WIDTH)
    total: NDArray[np.float64] = np.array(weights) @ signs
    return total


@lru_cache(8)
def _signs(length: int) -> NDArray[np.float64]:
    """The signs by which dense vectors of a length are projected, float64[length, WIDTH]: of
    PCG64, whose stream is the same in all versions of NumPy."""
    raw = np.random.PCG64(length).random_raw(-(-length * WIDTH // 64)).astype("<u8")
    bits = np.unpackbits(raw.view(np.uint8))[: length * WIDTH]
    return (1.0 - 2.0 * bits).reshape(length, WIDTH)


def _projected(vector: Iterable[float]) -> NDArray[np.float64]:
    """A dense vector, brought to length 1 and WIDTH numbers."""
    dense = np.nan_to_num(np.array(vector, np.float64), posinf=0.0, neginf=0.0)
    length = float(np.linalg.norm(dense))
    if not (isfinite(length) and length):
        return np.zeros(WIDTH)
    found: NDArray[np.float64] = dense / (length * WIDTH**0.5) @ _signs(len(dense))
    return found


def _packed(total: NDArray[np.float64]) -> NDArray[np.int8]:
    length = float(np.linalg.norm(total))
    scale = 127.0 / length if length else 0.0
    packed: NDArray[np.int8] = np.rint(total * scale).astype(np.int8)
    return packed
