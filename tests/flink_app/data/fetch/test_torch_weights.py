from __future__ import annotations

import io
import os
import pickle
import pickletools
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flink_app.data.fetch.torch_weights import read_weights
from udfs.errors import ServiceError


class Named:
    """Pickled as the function of another module, with arguments."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name, self.arguments = name, arguments


class Storage:
    """Pickled as a reference to what stands behind the pickle."""

    def __init__(self, key: str) -> None:
        self.key = key


def written(views: dict[str, Any], storages: dict[str, np.ndarray]) -> bytes:
    """A file of PyTorch's old form."""
    out = io.BytesIO()
    for head in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(head, out, protocol=2)
    out.write(_pickled(views))
    pickle.dump(list(storages), out, protocol=2)
    for storage in storages.values():
        out.write(len(storage).to_bytes(8, "little") + storage.tobytes())
    return out.getvalue()


def _pickled(views: dict[str, Any]) -> bytes:
    """The pickle, with the names of functions that need not exist here."""

    base: Any = pickle._Pickler  # type: ignore[attr-defined]

    class Pickler(base):
        def persistent_id(self, obj: Any) -> Any:
            if isinstance(obj, Storage):
                return ("storage", Named("torch\nFloatStorage"), obj.key, "cpu", 0, None)
            return None

        def save(self, obj: Any, **rest: Any) -> None:
            if not isinstance(obj, Named):
                return super().save(obj, **rest)
            self.write(b"c" + obj.name.encode() + b"\n")
            if obj.arguments:
                super().save(obj.arguments)
                self.write(pickle.REDUCE)
            return None

    out = io.BytesIO()
    Pickler(out, protocol=2).dump(OrderedDict(views))
    return out.getvalue()


def view(offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Named:
    name = "torch._utils\n_rebuild_tensor_v2"
    return Named(name, Storage("7"), offset, shape, strides, False, OrderedDict())


NUMBERS = np.arange(12, dtype="<f4")


def read(tmp_path: Path, data: bytes) -> Any:
    (tmp_path / "a.pth").write_bytes(data)
    return read_weights(tmp_path / "a.pth")


def test_arrays_are_read_with_their_strides(tmp_path: Path) -> None:
    views = {
        "whole": view(0, (12,), (1,)),
        "turned": view(0, (4, 3), (1, 4)),
        "part": view(5, (2, 2), (2, 1)),
        "one": view(3, (), ()),
    }
    found = read(tmp_path, written(views, {"7": NUMBERS}))
    np.testing.assert_array_equal(found["whole"], NUMBERS)
    np.testing.assert_array_equal(found["turned"], NUMBERS.reshape(3, 4).T)
    np.testing.assert_array_equal(found["part"], [[5, 6], [7, 8]])
    assert found["one"] == 3


@pytest.mark.parametrize(
    "shown", [view(0, (13,), (1,)), view(-1, (2,), (1,)), view(0, (2, 9), (9, 1))]
)
def test_no_array_reaches_beyond_its_storage(tmp_path: Path, shown: Named) -> None:
    with pytest.raises(ServiceError, match="outside of what is stored"):
        read(tmp_path, written({"a": shown}, {"7": NUMBERS}))


def test_nothing_that_a_file_names_is_called(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    call = Named(f"{os.system.__module__}\nsystem", f"touch {touched}")
    data = written({"a": call}, {})
    assert "system" in str(list(pickletools.genops(_pickled({"a": call}))))
    with pytest.raises(ServiceError, match="which no weights need"):
        read(tmp_path, data)
    assert not touched.exists()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", pickle.dumps([1])])
def test_other_files_are_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ServiceError, match="holds no weights as expected"):
        read(tmp_path, data)
