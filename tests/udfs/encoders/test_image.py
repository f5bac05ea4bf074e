from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.encoders.networks import image_network, picture, text_network
from udfs.encoders.image import ImageEncoder
from udfs.encoders.problems import ImageProblem
from udfs.errors import ConfigError


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    return image_network(tmp_path_factory.mktemp("image") / "mine.onnx")


@pytest.fixture(scope="module")
def encoder(file: str) -> ImageEncoder:
    return ImageEncoder(file, 10_000)


def colours(vector: np.ndarray) -> list[float]:
    """Mean red, green and blue less their mean, of length 1."""
    return [round(float(one), 2) for one in vector]


RED = [0.82, -0.41, -0.41]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "WEBP"])
def test_each_form_is_read(encoder: ImageEncoder, form: str) -> None:
    found = encoder.encode(picture((255, 0, 0), form=form))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, RED, atol=0.02)


def test_what_is_transparent_is_white(encoder: ImageEncoder) -> None:
    found = encoder.encode(picture((0, 255, 0, 128), mode="RGBA"))
    np.testing.assert_allclose(found, [-0.41, 0.82, -0.41], atol=0.02)
    clear = encoder.encode(picture((0, 255, 0, 0), mode="RGBA"))
    assert np.isfinite(clear).all()


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA", "CMYK", "I;16"])
def test_other_modes_of_colour(encoder: ImageEncoder, mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    colour = {"LA": (9, 9), "CMYK": (9, 9, 9, 9)}.get(mode, 1)
    assert encoder.encode(picture(colour, form=form, mode=mode)).shape == (3,)


def test_only_the_middle_counts(tmp_path: Path) -> None:
    from PIL import Image

    told = {"mean": "0", "std": "1", "crop": "0.5"}
    encoder = ImageEncoder(image_network(tmp_path / "a.onnx", told=told), 10_000)
    framed = Image.new("RGB", (100, 40), (0, 0, 255))
    framed.paste((255, 0, 0), (38, 8, 62, 32))
    framed.save(tmp_path / "a.png")
    np.testing.assert_allclose(encoder.encode((tmp_path / "a.png").read_bytes()), RED, atol=0.02)


def test_channels_may_be_last(tmp_path: Path) -> None:
    encoder = ImageEncoder(image_network(tmp_path / "a.onnx", planes=False), 10_000)
    np.testing.assert_allclose(encoder.encode(picture((255, 0, 0))), RED, atol=0.02)


def test_large_images_are_not_decoded(encoder: ImageEncoder) -> None:
    with pytest.raises(ImageProblem, match="200 × 100 pixels") as caught:
        encoder.encode(picture(size=(200, 100)))
    assert caught.value.reason == "too_many_pixels"


@given(st.data())
def test_damaged_images_are_refused_or_read(encoder: ImageEncoder, data: st.DataObject) -> None:
    whole = bytearray(picture(form=data.draw(st.sampled_from(["PNG", "JPEG", "GIF", "WEBP"]))))
    for _ in range(data.draw(st.integers(0, 4))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        assert np.isfinite(encoder.encode(cut)).all()
    except ImageProblem as problem:
        assert problem.reason in ("not_an_image", "too_many_pixels")


@pytest.mark.parametrize("data", [b"", b"<html>", b"%PDF-1.4", b"<svg xmlns='x'/>"])
def test_what_is_no_image_is_refused(encoder: ImageEncoder, data: bytes) -> None:
    with pytest.raises(ImageProblem) as caught:
        encoder.encode(data)
    assert caught.value.reason == "not_an_image"


def test_a_network_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="name another ONNX file"):
        ImageEncoder(text_network(tmp_path / "words"), 100)
