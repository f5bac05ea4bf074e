"""Entries of items' metadata: made from fields, packed, and put into a replica."""

from __future__ import annotations

import math

import numpy as np
import pytest

from udfs.errors import ServiceError
from udfs.feed import metadata
from udfs.feed.metadata import Described, contents, described, pack, put_described, unpack
from udfs.memory.metadata import NEVER, Metadata
from udfs.models.content.features import WIDTH


def test_an_entry_has_what_ranking_needs_of_the_fields() -> None:
    fields = {"categories": ["a", "b", "c", "d"], "provider": "acme", "price": 2.5, "expires": 9}
    entry = unpack(pack(described("kettle", 7, fields, b"x")))
    assert (entry.item, entry.at, entry.shown) == ("kettle", 7, True)
    assert (entry.categories, entry.provider, entry.price) == (["a", "b", "c"], "acme", 2.5)
    assert (entry.published, entry.expires, entry.content) == (0, 9, b"x")


@pytest.mark.parametrize("fields", [{"available": False}, {"hidden": True}, {"deleted": True}])
def test_such_an_item_may_not_be_shown(fields: dict[str, bool]) -> None:
    entry = described("kettle", 7, fields, b"")
    assert not entry.may_be_shown(8) and entry.changes_at(8) == NEVER


def test_times_decide_when_an_item_may_be_shown() -> None:
    entry = described("kettle", 1, {"published": 5, "expires": 9}, b"")
    assert [entry.may_be_shown(now) for now in (4, 5, 8, 9)] == [False, True, True, False]
    assert [entry.changes_at(now) for now in (4, 5, 9)] == [5, 9, NEVER]


def test_a_replica_has_the_values_of_its_entries() -> None:
    replica = Metadata()
    entries = [
        Described("a", 3, categories=["x"], price=1.5, boost=2.0, bits=5),
        Described("b", 4, shown=False, published=6),
    ]
    put_described(replica, np.array([4, 2], np.int32), entries)
    put_described(replica, np.zeros(0, np.int32), [])
    assert replica.described[:5].tolist() == [False, False, True, False, True]
    assert (replica.at[[4, 2]].tolist(), replica.allowed[[4, 2]].tolist()) == (
        [3, 4],
        [True, False],
    )
    assert replica.price[4] == 1.5 and math.isnan(replica.price[2])
    assert replica.boost[4] == pytest.approx(math.log(2)) and replica.boost[2] == 0
    assert (replica.bits[4], replica.published[2], replica.groups[4, 0]) == (5, 6, 0)


def test_contents_have_one_width() -> None:
    vector = np.arange(WIDTH, dtype=np.int8)
    entries = [
        Described("a", 1, content=vector.tobytes()),
        Described("b", 1),
        Described("c", 1, content=b"12"),
    ]
    found = contents(entries)
    assert found.shape == (3, WIDTH) and found[0].tolist() == vector.tolist()
    assert not found[1:].any()


def test_damaged_and_newer_entries_are_refused() -> None:
    for data in (b"", b"\x01", b"\x92\x01\x90", b"\xff"):
        with pytest.raises(ServiceError):
            unpack(data)
    with pytest.raises(ServiceError, match="form 9, not 1"):
        unpack(metadata._encode((9, Described("a", 1))))
