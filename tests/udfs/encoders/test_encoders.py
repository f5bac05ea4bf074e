from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.udfs.encoders.networks import image_network, picture, text_network
from udfs.encoders.encoders import Cache, Encoders, digest, whole
from udfs.encoders.problems import ImageProblem
from udfs.options.encoders import Images, Text


def test_equal_contents_are_encoded_once(tmp_path: Path) -> None:
    encoders = Encoders(
        Text(model=text_network(tmp_path / "words")),
        Images(model=image_network(tmp_path / "a.onnx"), folder=str(tmp_path)),
    )
    assert encoders.kinds == ("text", "image")
    first, again = encoders.encode("text", "Red kettle"), encoders.encode("text", "Red kettle")
    assert (first.cached, again.cached) == (False, True)
    np.testing.assert_array_equal(first.vector, again.vector)
    (tmp_path / "a.png").write_bytes(picture())
    url = "data:image/png;base64," + base64.b64encode(picture()).decode()
    assert not encoders.encode("image", "a.png").cached
    assert encoders.encode("image", url).cached  # the same image from elsewhere
    with pytest.raises(ImageProblem):
        encoders.encode("image", "b.png")


def test_nothing_is_needed_for_what_is_off() -> None:
    assert Encoders(Text(), Images()).kinds == ()


@given(arrays(np.float32, 8, elements=st.floats(-1, 1, width=32)))
def test_whole_numbers_keep_the_direction(vector: np.ndarray) -> None:
    found = whole(vector)
    most = np.abs(vector).max()
    if most > 1e-30:
        np.testing.assert_allclose(found / 127.0, vector / most, atol=0.5 / 127 + 1e-6)
    assert (found.dtype, found.shape) == (np.int8, (8,))


def test_what_is_no_number_becomes_zero() -> None:
    assert not whole(np.array([np.nan, 1.0, np.inf], np.float32)).any()


def test_the_cache_keeps_what_was_used_last() -> None:
    cache, vector = Cache(30), np.zeros(10, np.int8)
    for key in (b"a", b"b", b"c"):
        cache.put(key, vector)
    assert cache.get(b"a") is not None
    cache.put(b"d", vector)
    cache.put(b"d", vector)
    found = [key for key in (b"a", b"b", b"c", b"d") if cache.get(key) is not None]
    assert found == [b"a", b"c", b"d"]


def test_a_text_is_no_image() -> None:
    assert digest("text", b"a") != digest("image", b"a")
