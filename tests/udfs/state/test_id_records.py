"""What is stored of an id, in a form that stays."""

from __future__ import annotations

import msgspec
import pytest

from udfs.errors import ServiceError
from udfs.state.id_records import IdRecord, pack_id, unpack_id
from udfs.state.records import Others, pack_others, unpack_others

STORED = bytes.fromhex(
    "9e01a3616e6e9081a3616e6e0503d3c000000000000000070001c4020102099192080081a7636f756e7472799205a24445c2"
)


def test_the_first_form_is_still_read() -> None:
    assert unpack_id(STORED) == IdRecord(
        place="ann",
        links={"ann": 5},
        parted=3,
        count=7,
        full=1,
        page=b"\1\2",
        seen=9,
        marks=[(8, 0)],
        said={"country": (5, "DE")},
    )


def test_a_record_comes_back() -> None:
    record = IdRecord(
        ids=["ann", "anon"],
        links={"anon": 5},
        parted=3,
        count=7,
        page=b"\1\2",
        seen=9,
        marks=[(8, 0)],
        said={"country": (5, "DE")},
        silent=True,
    )
    assert unpack_id(pack_id(record)) == record


def test_another_version_and_damage_are_said() -> None:
    with pytest.raises(ServiceError, match="what is stored of an id is damaged"):
        unpack_id(b"\x93")
    with pytest.raises(ServiceError, match="has form 9, this millirec reads form 1"):
        unpack_id(pack_id(IdRecord(version=9)))


def test_other_ids_of_a_user_come_back_or_say_why_not() -> None:
    assert unpack_others(pack_others(["ann"], 3)) == Others(2, ["ann"], 3)
    old = unpack_others(msgspec.msgpack.encode((1, ["ann"])))
    assert old.ids == ["ann"] and old.mixed > 1_000_000
    with pytest.raises(ServiceError, match="are damaged"):
        unpack_others(b"\x93")
    with pytest.raises(ServiceError, match="are stored in form 9"):
        unpack_others(msgspec.msgpack.encode((9, ["ann"])))
