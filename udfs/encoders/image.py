"""Images as vectors, by a convolutional network: EfficientNet-Lite0, or any other ONNX file.

In: the bytes of an image. Out: float32[d], a unit vector (d = 1,280): what the network's first
output holds, its mean over the places of the image if it has places, less the mean of its numbers:
features are never negative, and any two images would be alike (.2 instead of 0).

How an image is prepared is in the file itself, as metadata that `millirec fetch` writes: `mean` and
`std` of a pixel (0 to 255), and `crop`, the share of the shorter side that is looked at. Other
files get what most networks trained on ImageNet expect.
"""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from udfs.encoders.networks import model_file, needed, session
from udfs.encoders.problems import ImageProblem
from udfs.errors import ConfigError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
"""What is decoded: nothing else of what Pillow knows is tried on bytes from elsewhere."""
_MEAN, _STD, _CROP, _SIZE = "123.675,116.28,103.53", "58.395,57.12,57.375", "0.875", 224


class ImageEncoder:
    """See the module.

    Args:
        max_pixels: larger images are refused before they are decoded.

    Raises:
        ConfigError: a package or the file is missing, or the network is none of images.
    """

    def __init__(self, model: str, max_pixels: int) -> None:
        self._pillow = needed("PIL.Image", "images")
        self._max_pixels = max_pixels
        file = model_file(model, "images.model")
        self._session = session(file, "images")
        given = self._session.get_inputs()[0]
        shape = [side if isinstance(side, int) else 0 for side in given.shape]
        if len(shape) != 4 or 3 not in (shape[1], shape[3]) or given.type != "tensor(float)":
            raise ConfigError(
                f"images.model: the input of {file} is {given.type} of {given.shape}, not float of "
                "[images, 3, height, width] or [images, height, width, 3]: name another ONNX file."
            )
        self._input, self._planes = given.name, shape[1] == 3
        self._size = (shape[2] if self._planes else shape[1]) or _SIZE
        told = self._session.get_modelmeta().custom_metadata_map
        self._mean = _numbers(told.get("mean", _MEAN))
        self._std = _numbers(told.get("std", _STD))
        self._crop = float(told.get("crop", _CROP))
        self.dimensions = len(self._run(np.zeros((self._size, self._size, 3), np.float32)))

    def encode(self, data: bytes) -> NDArray[np.float32]:
        """The vector of an image, float32[d], of length 1.

        Raises:
            ImageProblem: it cannot be decoded, or is too large.
        """
        return self._run(self._prepared(data))

    def _prepared(self, data: bytes) -> NDArray[np.float32]:
        """The middle of the image, at the network's size: float32[size, size, 3], 0 to 255."""
        pillow = self._pillow
        try:
            with warnings.catch_warnings(), pillow.open(io.BytesIO(data), formats=FORMATS) as image:
                warnings.simplefilter("ignore")
                if image.width * image.height > self._max_pixels:
                    raise ImageProblem("too_many_pixels", f"{image.width} × {image.height} pixels")
                image.draft("RGB", (2 * self._size, 2 * self._size))  # JPEG: decoded smaller
                plain = _opaque(image, pillow)
        except ImageProblem:
            raise
        except Exception as error:  # decoders of damaged images raise almost anything
            raise ImageProblem("not_an_image", f"{type(error).__name__}: {error}") from None
        side = max(1.0, self._crop * min(plain.size))
        left, top = (plain.width - side) / 2, (plain.height - side) / 2
        box = (left, top, left + side, top + side)
        small = plain.resize((self._size, self._size), pillow.Resampling.BICUBIC, box=box)
        return np.asarray(small, np.float32)

    def _run(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        given = ((pixels - self._mean) / self._std).astype(np.float32)[None]
        if self._planes:
            given = np.ascontiguousarray(given.transpose(0, 3, 1, 2))
        found: NDArray[np.float32] = self._session.run(None, {self._input: given})[0][0]
        if found.ndim == 3:  # features by place
            found = found.mean(axis=(1, 2) if self._planes else (0, 1))
        flat = found.reshape(-1) - found.mean()
        vector: NDArray[np.float32] = flat / max(float(np.linalg.norm(flat)), 1e-12)
        return vector


def _opaque(image: Any, pillow: Any) -> Any:
    """The image in RGB; what is transparent is white, as on a shop's page."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        over = image.convert("RGBA")
        white = pillow.new("RGBA", over.size, "white")
        return pillow.alpha_composite(white, over).convert("RGB")
    return image.convert("RGB")


def _numbers(text: str) -> NDArray[np.float32]:
    return np.array([float(one) for one in text.split(",")], np.float32)
