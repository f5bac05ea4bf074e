from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from numpy.typing import NDArray

from flink_app.simulator.shop.drawings import SIZE, drawing
from flink_app.simulator.shop.names import CATEGORIES, LOOKS


def pixels(png: bytes) -> NDArray[np.uint8]:
    """A reader of what `drawing` writes, which checks each part."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(png):
        (size,) = struct.unpack_from(">I", png, at)
        name, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + size]
        assert struct.unpack_from(">I", png, at + 8 + size) == (zlib.crc32(name + data),)
        parts[name] = data
        at += 12 + size
    assert list(parts) == [b"IHDR", b"IDAT", b"IEND"]
    assert struct.unpack(">IIBBBBB", parts[b"IHDR"]) == (SIZE, SIZE, 8, 2, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(SIZE, 1 + 3 * SIZE)
    assert not rows[:, 0].any()
    return rows[:, 1:].reshape(SIZE, SIZE, 3)


def test_categories_differ_in_shape_and_looks_in_colour() -> None:
    def shape(kind: int) -> bytes:
        png = pixels(drawing(kind, 0, 0))
        return bytes((png != png[0, 0]).any(axis=2).tobytes())

    assert len({shape(kind) for kind in range(len(CATEGORIES))}) == len(CATEGORIES)
    middles = {pixels(drawing(0, look, 0))[SIZE // 2, SIZE // 2].tobytes() for look in range(20)}
    assert len(middles) == len(LOOKS)


@pytest.mark.parametrize("kind", range(len(CATEGORIES)))
def test_a_picture_is_small_always_the_same_and_shows_something(kind: int) -> None:
    png = drawing(kind, kind, 7)
    assert png == drawing(kind, kind, 7) != drawing(kind, kind, 8)
    assert len(png) < 400
    front = (pixels(png) != pixels(png)[0, 0]).any(axis=2)
    assert 0.1 < front.mean() < 0.6
