"""The lists of a user as bytes: read again, found in, refused when damaged."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.state.listed import CONVERTED, VIEWED, Listed, pack_listed, unpack_listed

FIRST = "920191970502c4086b6b6b6b6b6b6b6bc40102c400c40101810009"
"""A row as the first release with lists in the state writes it."""


def listed(keys: list[int], marks: bytes = b"", chances: bool = False) -> Listed:
    n = len(keys)
    packed = np.array(keys, "<u8").tobytes()
    whole = bytes(4 * n)
    return Listed(5, 2, packed, bytes(n), whole if chances else b"", marks or bytes(n))


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), unique=True), max_size=3), st.booleans())
def test_lists_are_read_as_they_were_written(lists: list[list[int]], chances: bool) -> None:
    made = [listed(keys, chances=chances) for keys in lists]
    for one in made[:2]:
        one.teams = bytes(n % 3 for n in range(len(one.marks)))
        assert [one.team(n) for n in range(len(one.marks))] == [*one.teams]
    for one in made:
        one.clicked = dict.fromkeys(range(len(one.marks)), 7)
    assert unpack_listed(pack_listed(made)) == made
    assert unpack_listed(None) == []


@given(
    st.lists(st.sampled_from([0, 1, 256, 2**56, 257]), unique=True), st.sampled_from([0, 1, 256])
)
def test_an_item_is_found_at_its_place(keys: list[int], key: int) -> None:
    expected = keys.index(key) if key in keys else -1
    assert listed(keys).find(key.to_bytes(8, "little")) == expected


def test_a_mark_is_set_once() -> None:
    one = listed([3, 4])
    assert not one.seen
    assert one.mark(1, VIEWED) and not one.mark(1, VIEWED) and one.mark(1, CONVERTED)
    assert one.seen and one.marks == bytes([0, VIEWED | CONVERTED])


def test_other_forms_and_damaged_lists_are_refused() -> None:
    with pytest.raises(ServiceError, match="is stored in form 9"):
        unpack_listed(msgspec.msgpack.encode([9, []]))
    woven = listed([1, 2])
    woven.teams = b"\1"
    with pytest.raises(ServiceError, match="parts have different lengths"):
        unpack_listed(pack_listed([woven]))
    for broken in (listed([1, 2], b"\0"), listed([1])):
        if len(broken.marks) == len(broken.keys) // 8:
            broken.chances = b"abc"
        with pytest.raises(ServiceError, match="parts have different lengths"):
            unpack_listed(pack_listed([broken]))


def test_the_first_form_is_still_read() -> None:
    stored = bytes.fromhex(FIRST)
    (one,) = unpack_listed(stored)
    assert (one.at, one.number, one.find(b"k" * 8), one.clicked) == (5, 2, 0, {0: 9})
    assert one.marks == bytes([VIEWED]) and one.team(0) == 0
    assert unpack_listed(pack_listed([one])) == [one]
