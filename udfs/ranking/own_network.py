"""The ranker in an ONNX file: what it must have, and the scores that it gives.

In: float32[n, F], candidates with the features that the file names, in its order. Out: float32[n],
larger is better.

The file has one input of float32[any, F] and metadata `features`, F names separated by commas, of
those that `udfs.ranking.features.names` lists. Its output is `score`, or else the last one of
numbers: [n], or [n, k], of which the last column counts, as of a classifier that gives the
probabilities of both classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from udfs.models.own.network import Opened, finite, listed, opened

OPTION = "ranker.model"
FEATURES, SCORE = "features", "score"
_NUMBERS = ("tensor(float)", "tensor(double)")


class OwnNetwork:
    """See the module.

    Args:
        known: as of `features.names`.

    Attributes:
        pick: int32[F], the position in `known` of each feature of the file.

    Raises:
        ConfigError: the file has not what it must have.
    """

    def __init__(self, path: Path, known: Sequence[str]) -> None:
        self._file = file = opened(path, OPTION)
        names = _names(file)
        if unknown := [name for name in names if name not in known]:
            raise file.refusal(
                f"wants the features {', '.join(unknown)}, which there are not: train it on some "
                f"of {', '.join(known)}"
            )
        self.pick = np.array([known.index(name) for name in names], np.int32)
        self._input, self._output = _input(file, len(names)), _output(file)
        found = file.tried(self._output, self._input, np.zeros((3, len(names)), np.float32))
        if found.ndim not in (1, 2) or len(found) != 3 or not found[0].size:
            raise file.refusal(
                f"gives {self._output} of shape {list(found.shape)} for three candidates: it must "
                "be one score each, [3] or [3, 1]"
            )

    def run(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores of n candidates, float32[n].

        Args:
            x: float32[n, F].

        Raises:
            ModelFailure: ONNX Runtime has failed, or gave numbers that are not finite.
        """
        found = self._file.run(self._output, self._input, x)
        return finite(found[:, -1] if found.ndim == 2 else found, (len(x),))


def _names(file: Opened) -> list[str]:
    names = [name.strip() for name in file.told.get(FEATURES, "").split(",")]
    if names == [""] or len(set(names)) < len(names):
        raise file.refusal(
            f'has the metadata features "{file.told.get(FEATURES, "")}": set it by '
            "onnx.helper.set_model_props to the names of the columns, each once, with commas "
            "between"
        )
    return names


def _input(file: Opened, size: int) -> str:
    """The name of the input; its type and shape are checked."""
    found = [
        one
        for one in file.inputs.values()
        if one.type == "tensor(float)" and len(one.shape) == 2 and one.shape[1] in (-1, size)
    ]
    if len(file.inputs) != 1 or not found:
        raise file.refusal(
            f"has the inputs {listed(file.inputs)}: it must have one, of float[any, {size}] for "
            f"the {size} names in its metadata features"
        )
    return found[0].name


def _output(file: Opened) -> str:
    numbers = [one.name for one in file.outputs.values() if one.type in _NUMBERS]
    if not numbers:
        raise file.refusal(
            f"has the outputs {listed(file.outputs)}: one must be of float numbers; export a "
            'classifier of scikit-learn with options={"zipmap": False}'
        )
    return SCORE if SCORE in numbers else numbers[-1]
