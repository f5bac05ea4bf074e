"""Opens an ONNX file of a team's own, and says in a sentence what does not fit.

In: a path, the option that names it. Out: `Opened`, a session of ONNX Runtime on one thread with
what the file says of itself. The file is data: nothing in it is executed but the operators that
ONNX Runtime knows. What each kind of model must have is checked by the class that runs it, in
`udfs.models.sequence.network` and `udfs.ranking.own_network`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.encoders.networks import session
from udfs.errors import ConfigError, MillirecError

EXTRA = "onnx"
"""The extra with what runs these files."""


class ModelFailure(MillirecError):
    """A model has failed on what it was given, or gave what nobody can use."""


class Tensor(NamedTuple):
    """An input or output: its name, ONNX Runtime's word for its type, its sizes, −1 for any."""

    name: str
    type: str
    shape: tuple[int, ...]

    def __str__(self) -> str:
        sizes = ", ".join("any" if size < 0 else str(size) for size in self.shape)
        return f"{self.name}: {self.type.removeprefix('tensor(').removesuffix(')')}[{sizes}]"


class Opened(NamedTuple):
    """A file that was opened.

    Attributes:
        option, file: what names it, and where it is, for messages.
        inputs, outputs: by name, in order. told: its metadata.
    """

    option: str
    file: Path
    session: Any
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    told: Mapping[str, str]

    def refusal(self, what: str) -> ConfigError:
        """The error that says why the file cannot be used."""
        return ConfigError(f"{self.option}: {self.file} {what}.")

    def run(self, output: str, name: str, given: NDArray[Any]) -> NDArray[Any]:
        """One output for one input. What does not depend on the input, ONNX Runtime has computed
        when it opened the file.

        Raises:
            ModelFailure: ONNX Runtime has failed.
        """
        try:
            found: NDArray[Any] = self.session.run([output], {name: given})[0]
        except Exception as error:  # its classes are its own, and derive from nothing in common
            raise ModelFailure(f"ONNX Runtime: {error}") from error
        return found

    def tried(self, output: str, name: str, given: NDArray[Any]) -> NDArray[Any]:
        """The same, as a trial of a file that was just opened.

        Raises:
            ConfigError: it does not run.
        """
        try:
            return self.run(output, name, given)
        except ModelFailure as error:
            raise self.refusal(
                f"does not run on {name} of shape {list(given.shape)} ({error}): export it with a "
                "first dimension of any size"
            ) from error


def opened(path: Path, option: str) -> Opened:
    """Open a file.

    Raises:
        ConfigError: it is not there, or ONNX Runtime is missing or cannot read it.
    """
    if not path.is_file():
        raise ConfigError(
            f'{option} is "{path}", but there is no such file: correct the path, and see that each '
            "machine of the job has it."
        )
    found = session(path, EXTRA, option)
    told: Mapping[str, str] = found.get_modelmeta().custom_metadata_map
    tensors = (_tensors(found.get_inputs()), _tensors(found.get_outputs()))
    return Opened(option, path, found, *tensors, told)


def _tensors(found: Sequence[Any]) -> dict[str, Tensor]:
    return {
        one.name: Tensor(
            one.name,
            one.type,
            tuple(size if isinstance(size, int) else -1 for size in one.shape or ()),
        )
        for one in found
    }


def listed(tensors: Mapping[str, Tensor]) -> str:
    """Inputs or outputs, for messages."""
    return ", ".join(map(str, tensors.values())) or "none"


def finite(found: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The numbers of an output, float32 of the shape.

    Raises:
        ModelFailure: it has another shape, or numbers that are not finite.
    """
    if found.shape != shape:
        raise ModelFailure(f"it gave {list(found.shape)} numbers in place of {list(shape)}")
    numbers: NDArray[np.float32] = np.ascontiguousarray(found, np.float32)
    if not np.isfinite(numbers).all():
        raise ModelFailure("it gave numbers that are not finite")
    return numbers
