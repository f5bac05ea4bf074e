"""A copy by one instruction is a copy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.compiling import njit
from udfs.lists.copying import copy


@njit(_nrt=False)
def copied(source, begin, stop, out, end):  # type: ignore[no-untyped-def]
    """One copy."""
    return copy(source, begin, stop, out, end)


@given(st.binary(max_size=100), st.data())
def test_a_copy(text: bytes, data: st.DataObject) -> None:
    source, out = np.frombuffer(b"x" + text, np.uint8), np.zeros(300, np.uint8)
    stop = data.draw(st.integers(0, len(text)))
    begin, end = data.draw(st.integers(0, stop)), data.draw(st.integers(0, 200))
    assert copied(source, 1 + begin, 1 + stop, out, end) == end + stop - begin
    assert out.tobytes() == bytes(end) + text[begin:stop] + bytes(300 - end - stop + begin)
