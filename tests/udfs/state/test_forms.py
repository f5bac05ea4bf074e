"""Values of the state with a version: the right form is read, all else is refused."""

from __future__ import annotations

import msgspec
import pytest

from udfs.errors import ServiceError
from udfs.state.forms import read_form


class Value(msgspec.Struct, array_like=True):
    version: int
    name: str


decoder = msgspec.msgpack.Decoder(Value)


def test_a_value_of_this_form_is_read() -> None:
    value = Value(3, "a")
    assert read_form(decoder, msgspec.msgpack.encode(value), 3, "a value") == value


@pytest.mark.parametrize("version", [2, 4])
def test_another_form_is_refused(version: int) -> None:
    data = msgspec.msgpack.encode(Value(version, "a"))
    with pytest.raises(ServiceError, match=f"^a value is stored in form {version}, .* form 3: "):
        read_form(decoder, data, 3, "a value")


@pytest.mark.parametrize("data", [b"", b"\xc1", msgspec.msgpack.encode([3])])
def test_what_is_damaged_is_refused(data: bytes) -> None:
    with pytest.raises(ServiceError, match=r"^a value is damaged: .* earlier checkpoint\.$"):
        read_form(decoder, data, 3, "a value")
