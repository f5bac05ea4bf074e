"""A fully connected ranker, y = σ(W₂ σ(W₁ x + b₁) + b₂): Keras on TensorFlow, then ONNX.

pip install tensorflow-cpu tf2onnx pyarrow
python network.py ranked ranker.onnx
"""

from __future__ import annotations

import sys

import keras
import tensorflow as tf
import tf2onnx
from rankings import FEATURES, candidates, compare, read, save, split, weights


def main(log: str, out: str) -> None:
    """Train on a log, and write the model."""
    train, test = split(read(log))
    x, y = candidates(train)
    scale = keras.layers.BatchNormalization(momentum=0.9)
    layers = [scale, keras.layers.Dense(16, "sigmoid"), keras.layers.Dense(1, "sigmoid")]
    network = keras.Sequential([keras.Input((len(FEATURES),)), *layers])
    network.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
    network.fit(x, y, sample_weight=weights(train), batch_size=256, epochs=10, verbose=2)
    compare(test, network.predict(candidates(test)[0], verbose=0))

    signature = [tf.TensorSpec((None, len(FEATURES)), tf.float32, "features")]
    call = tf.function(lambda features: network(features, training=False), signature)
    model, _ = tf2onnx.convert.from_function(call, signature, opset=17)
    save(model, out, features=",".join(FEATURES))


if __name__ == "__main__":
    main(*sys.argv[1:])
