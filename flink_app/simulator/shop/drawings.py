"""Small pictures of the simulated shop's items: a shape for each category, a colour for each look.

In: the numbers of a category and of a look, and the item's own number. Out: a PNG of 32 × 32
pixels as bytes, or as the data URL that an item event has. Nothing here is random.
"""

from __future__ import annotations

import base64
import colorsys
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from flink_app.simulator.shop.names import LOOKS

SIZE = 32
"""Width and height in pixels."""


def drawing(kind: int, look: int, number: int) -> bytes:
    """A PNG, 8 bits each of red, green and blue: items of a category have the same shape, those of
    a look the same colour, and each is shifted a little by its number.

    kind: 0 to 11. look: 0 to 19. number: at least 0.
    """
    y, x = np.mgrid[0:SIZE, 0:SIZE] - (SIZE - 1) / 2
    inside = _shape(kind, x - number % 5 + 2, y - number // 5 % 5 + 2)
    hue = look / len(LOOKS)
    front, back = _colour(hue, 0.75, 0.85), _colour(hue, 0.12, 0.98)
    return _png(np.where(inside[..., None], front, back).astype(np.uint8))


def data_url(png: bytes) -> str:
    """The picture as an URL that holds it.

    >>> data_url(drawing(0, 0, 0))[:32]
    'data:image/png;base64,iVBORw0KGg'
    """
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _shape(kind: int, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which pixels belong to a category's shape; x, y: distance from its middle in pixels."""
    r, wide, high = np.hypot(x, y), np.abs(x), np.abs(y)
    square = np.maximum(wide, high) < 11
    shapes = (
        r < 11,  # a disc
        (r < 12) & (r > 6),  # a ring
        square,
        wide + high < 13,  # a diamond
        (high < 11) & (wide < (y + 11) / 2),  # a triangle
        (high < 11) & (wide < (11 - y) / 2),  # one upside down
        np.minimum(wide, high) < 4,  # a cross
        square & (np.abs(wide - high) < 4),  # a cross turned
        square & (np.floor((y + 32) / 4) % 2 == 0),  # stripes
        square & (np.floor((x + 32) / 4) % 2 == 0),
        square & ((np.floor((x + 32) / 5) + np.floor((y + 32) / 5)) % 2 == 1),  # a chequerboard
        (r < 12) & (y > 0),  # half a disc
    )
    return shapes[kind % len(shapes)]


def _colour(hue: float, saturation: float, value: float) -> NDArray[np.float64]:
    return np.round(np.array(colorsys.hsv_to_rgb(hue, saturation, value)) * 255)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """uint8[height, width, 3] as a PNG without filters."""
    height, width, _ = pixels.shape
    rows = np.zeros((height, 1 + width * 3), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
