"""What a user did in experiments, as bytes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.state.taking_part import Part, pack_parts, unpack_parts

counts = st.integers(0, 2**40)
parts = st.builds(
    Part, st.text(), counts, counts, counts, counts, counts, st.floats(0, allow_infinity=False)
)


@given(st.dictionaries(st.text(), parts))
def test_what_is_packed_is_unpacked(given: dict[str, Part]) -> None:
    assert unpack_parts(pack_parts(given)) == given


def test_the_first_form_is_read() -> None:
    stored = bytes.fromhex("920181a1659 7a161 05 02 04 01 00 cb3ff8000000000000".replace(" ", ""))
    assert unpack_parts(stored) == {"e": Part("a", 5, 2, 4, 1, 0, 1.5)}
    assert pack_parts({"e": Part("a", 5, 2, 4, 1, 0, 1.5)}) == stored
    assert unpack_parts(None) == {}


def test_another_form_is_refused() -> None:
    with pytest.raises(ServiceError, match="what a user did in experiments"):
        unpack_parts(msgspec.msgpack.encode([2, {}]))
