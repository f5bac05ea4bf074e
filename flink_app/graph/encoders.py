"""The part of the graph that makes vectors of items' texts and images, if it is configured.

In: a `Config` and the stream of items' changes. Out: the stream with vectors added, and the
encoder's accounts; the same stream if no network is configured. The networks' files are looked for
before anything is submitted, and named by absolute paths, because a TaskManager has a folder of its
own.
"""

from __future__ import annotations

from msgspec.structs import replace
from pyflink.datastream import DataStream

from flink_app.config import Config
from flink_app.config.paths import local
from flink_app.graph.edges import at_once, by_key, side_output
from udfs.encoders.networks import model_file, model_path, needed
from udfs.operators.encoder import Encoder
from udfs.operators.flink import PIECE, STATS

NAME = "encoder"


def encodes(config: Config) -> bool:
    """Whether there is an encoder."""
    return bool(config.text.model or config.images.model)


def encoder_of(config: Config, item_keys: list[int]) -> Encoder:
    """The operator, with absolute paths.

    Raises:
        ConfigError: a network or a package is missing.
    """
    text, images = config.text, config.images
    if text.model:
        needed("onnxruntime", "text")
        needed("tokenizers", "text")
        model_file(text.model, "text.model")
        model_file(text.model, "text.model", "tokenizer.json")
        text = replace(text, model=str(model_path(text.model).absolute()))
    if images.model:
        needed("onnxruntime", "images")
        needed("PIL.Image", "images")
        model_file(images.model, "images.model")
        folder = str(local(images.folder)) if images.folder else ""
        images = replace(images, model=str(model_path(images.model).absolute()), folder=folder)
    return Encoder(text, images, item_keys)


def with_vectors(
    changes: DataStream, config: Config, item_keys: list[int]
) -> tuple[DataStream, list[DataStream]]:
    """The changes with those that add vectors, and the accounts, if any.

    Args:
        changes: `(item shard key: int, ItemChanges: bytes)`.
    """
    if not encodes(config):
        return changes, []
    encoded = at_once(
        by_key(changes)
        .process(encoder_of(config, item_keys), PIECE)
        .name(NAME)
        .uid(NAME)
        .disable_chaining()
    )
    return encoded, [side_output(encoded, STATS)]
