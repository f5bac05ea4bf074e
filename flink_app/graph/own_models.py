"""The files of models that a team brings, as the operators are to find them.

In: a `Config`. Out: the same with absolute paths, because a TaskManager has a folder of its own;
the files are opened before anything is submitted, so that what does not fit is said at once.
"""

from __future__ import annotations

from msgspec.structs import replace

from flink_app.config import Config
from flink_app.config.paths import local
from udfs.models.sequence.network import SequenceNetwork
from udfs.ranking.features import names
from udfs.ranking.own_network import OwnNetwork


def with_own_models(config: Config) -> Config:
    """The configuration with absolute paths of models.

    Raises:
        ConfigError: a file is not there, or has not what it must have, or ONNX Runtime is missing.
    """
    sequence, ranker = config.of("sequence"), config.ranker
    if sequence.model:
        path = local(sequence.model)
        SequenceNetwork(path)
        config = replace(config, sequence=replace(sequence, model=str(path)))
    if ranker.model:
        path = local(ranker.model)
        OwnNetwork(path, names(config.settings))
        config = replace(config, ranker=replace(ranker, model=str(path)))
    return config
