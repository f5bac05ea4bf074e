"""The configured encoders behind one call, with a memory of what they have encoded.

In: "text" or "image", and the text or what names the image. Out: int8[d], the vector with its
largest number as ±127. Equal contents are encoded once as long as they are remembered. Several
threads may call it at the same time.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.encoders.fetching import read_image
from udfs.encoders.image import ImageEncoder
from udfs.encoders.text import TextEncoder
from udfs.options.encoders import Images, Text

Which = Literal["text", "image"]
Vector = NDArray[np.int8]

FIELD: dict[Which, str] = {"text": "text_vector", "image": "image_vector"}
"""The field of an item that holds what an encoder made."""
CACHE_BYTES = 32_000_000
"""Bytes of the vectors that are remembered: 80,000 texts, or 25,000 images."""


class Encoded(NamedTuple):
    """A vector, int8[d], and whether it was remembered."""

    vector: Vector
    cached: bool


class Encoders:
    """See the module.

    Raises:
        ConfigError: a network, a tokenizer or a package is missing.
    """

    def __init__(self, text: Text, images: Images) -> None:
        self._images = images
        self._text = TextEncoder(text.model) if text.model else None
        self._image = ImageEncoder(images.model, images.max_pixels) if images.model else None
        self._cache = Cache(CACHE_BYTES)

    @property
    def kinds(self) -> tuple[Which, ...]:
        """What can be encoded."""
        found: dict[Which, object] = {"text": self._text, "image": self._image}
        return tuple(which for which, encoder in found.items() if encoder is not None)

    def encode(self, which: Which, content: str) -> Encoded:
        """The vector of a text, or of the image that a text names.

        Raises:
            ImageProblem: the image cannot be had or read.
        """
        if which == "text":
            assert self._text is not None
            data = content.encode(errors="replace")
        else:
            assert self._image is not None
            data = read_image(content, self._images)
        key = digest(which, data)
        if (known := self._cache.get(key)) is not None:
            return Encoded(known, True)
        if which == "text":
            made = whole(self._text.encode([content])[0])  # type: ignore[union-attr]
        else:
            made = whole(self._image.encode(data))  # type: ignore[union-attr]
        self._cache.put(key, made)
        return Encoded(made, False)


def digest(which: Which, data: bytes) -> bytes:
    """What stands for a content: 16 bytes."""
    return blake2b(data, digest_size=16, person=which.encode()).digest()


def whole(vector: NDArray[np.float32]) -> Vector:
    """A vector as whole numbers, int8[d]: a quarter of the bytes, and a fifth as JSON.

    >>> whole(np.array([0.1, -0.2, 0.05], np.float32)).tolist()
    [64, -127, 32]
    """
    most = float(np.abs(vector).max(initial=0.0))
    if not 1e-30 < most < np.inf:  # also if it is no number
        return np.zeros(len(vector), np.int8)
    found: Vector = np.rint(vector * (127.0 / most)).astype(np.int8)
    return found


class Cache:
    """Vectors by key, those used last, `limit` bytes of numbers at most."""

    def __init__(self, limit: int) -> None:
        self._limit, self._bytes = limit, 0
        self._found: OrderedDict[bytes, Vector] = OrderedDict()
        self._lock = Lock()

    def get(self, key: bytes) -> Vector | None:
        """The vector of a key, or None."""
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: bytes, vector: Vector) -> None:
        """Remember a vector."""
        with self._lock:
            old = self._found.pop(key, None)
            self._bytes += vector.nbytes - (0 if old is None else old.nbytes)
            self._found[key] = vector
            while self._bytes > self._limit:
                self._bytes -= self._found.popitem(last=False)[1].nbytes
