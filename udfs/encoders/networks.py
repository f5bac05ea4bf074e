"""Opens a network: an ONNX file, in one thread, or a sentence that says what is missing.

In: the name of a model, as the configuration has it. Out: its files, and a session of ONNX Runtime
whose `run` gives up the interpreter lock.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from udfs.errors import ConfigError

FILE = "model.onnx"
"""The name of a network in its folder."""


def needed(module: str, extra: str, option: str = "") -> Any:
    """A package of an extra.

    Args:
        option: what asks for it; by default `model` of the section with the extra's name.

    Raises:
        ConfigError: it is not installed.
    """
    option = option or f"{extra}.model"
    try:
        return import_module(module)
    except ImportError as error:
        raise ConfigError(
            f"{option} is set, but the package {module.partition('.')[0]} is missing "
            f"({error}): install it wherever the job runs with pip install 'millirec[{extra}]', "
            f'or leave {option} = "".'
        ) from error


def model_path(model: str) -> Path:
    """Where a model is: a bare name, unless it is a file or folder here, is one below data/.

    >>> model_path("minilm").as_posix(), model_path("/models/mine").as_posix()
    ('data/minilm', '/models/mine')
    """
    path = Path(model)
    return path if path.name != model or path.exists() else Path("data") / model


def model_file(model: str, option: str, name: str = FILE) -> Path:
    """A file of a model, which may be the ONNX file itself.

    Raises:
        ConfigError: it is not there.
    """
    path = model_path(model)
    file = path if path.is_file() and name == FILE else path / name
    if file.is_file():
        return file
    fetched = path.name if path.parent.name == "data" else ""
    known = fetched in ("minilm", "efficientnet-lite0")
    advice = f"run millirec fetch {fetched} here first" if known else "correct the path"
    raise ConfigError(
        f'{option} is "{model}", but there is no file {file.absolute()}: {advice}, and see that '
        "each machine of the job has it."
    )


def session(file: Path, extra: str, option: str = "") -> Any:
    """An `onnxruntime.InferenceSession` on one thread, which is that of the caller.

    Args:
        option: as in `needed`.

    Raises:
        ConfigError: ONNX Runtime is missing, or cannot read the file.
    """
    runtime = needed("onnxruntime", extra, option)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only
    try:
        return runtime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its classes are its own, and derive from nothing in common
        raise ConfigError(
            f"{option or f'{extra}.model'}: ONNX Runtime cannot use {file}: {error}. Name another "
            "ONNX file."
        ) from error
