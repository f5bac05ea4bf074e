"""Reads weights that PyTorch saved, without PyTorch and without running what the file says.

In: a file of the form of `torch.save` before version 1.6. Out: its arrays by name. The form is a
pickle, which could name any function to be called: here only the five names that arrays of numbers
need are known, and everything else is refused.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from udfs.errors import ServiceError

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}

Weights = dict[str, NDArray[Any]]


class _View(NamedTuple):
    """An array that is a part of a storage; what the pickle has `_rebuild_tensor_v2` make."""

    storage: tuple[str, np.dtype[Any]]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    gradient: bool
    hooks: Any


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _View
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no weights need")

    def persistent_load(self, pid: Any) -> tuple[str, np.dtype[Any]]:
        _, dtype, key, *_ = pid  # "storage", type, key, device, size, view
        return str(key), dtype


def read_weights(file: Path) -> Weights:
    """The arrays of the file by name.

    Raises:
        ServiceError: it has another form, or is damaged.
    """
    try:
        return _read(file)
    except (OSError, EOFError, ValueError, TypeError, KeyError, pickle.UnpicklingError) as error:
        raise ServiceError(
            f"{file} holds no weights as expected: {error}. Install its package again."
        ) from error


def _read(file: Path) -> Weights:
    with file.open("rb") as opened:
        head = [_Unpickler(opened).load() for _ in range(3)]
        if head[:2] != [_MAGIC, _PROTOCOL] or not head[2].get("little_endian"):
            raise ValueError("it does not begin like a file of PyTorch 1.5")
        views: dict[str, _View] = _Unpickler(opened).load()
        keys: list[str] = _Unpickler(opened).load()
        types = dict(view.storage for view in views.values())
        storages = {}
        for key in keys:
            size = int.from_bytes(opened.read(8), "little")
            data = opened.read(size * types[key].itemsize)
            storages[key] = np.frombuffer(data, types[key], size)
    return {name: _array(view, storages[view.storage[0]]) for name, view in views.items()}


def _array(view: _View, storage: NDArray[Any]) -> NDArray[Any]:
    """A copy of the part of the storage; its axes may be stored in any order."""
    if min(view.shape, default=1) == 0:
        return np.empty(view.shape, storage.dtype)
    steps = zip(view.shape, view.strides, strict=True)
    last = view.offset + sum((size - 1) * step for size, step in steps)
    if min(view.offset, *view.shape, *view.strides, 0) < 0 or last >= len(storage):
        raise ValueError("an array lies outside of what is stored of it")
    strides = [step * storage.itemsize for step in view.strides]
    part = np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides)
    return part.copy()
