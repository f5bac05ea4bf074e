"""Changes of items travel whole, notices without their fields."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from udfs.errors import SourceError
from udfs.events.batch import make_batch, pack
from udfs.events.item_changes import (
    ItemChange,
    is_changes,
    is_notice,
    item_shards,
    pack_changes,
    pack_notice,
    unpack_changes,
    unpack_notice,
)
from udfs.memory.catalogue import Catalogue

CHANGES = [
    ItemChange("kettle", 5, {"title": "Kettle", "tags": ["tea"], "price": None}),
    ItemChange("müg", 7, {"attributes": {"colour": "red"}, "available": False}),
]


def test_changes_come_back_and_a_notice_has_items_and_times() -> None:
    assert unpack_changes(pack_changes(CHANGES)) == CHANGES
    assert unpack_notice(pack_notice(CHANGES)) == [("kettle", 5), ("müg", 7)]


def test_no_other_message_is_taken_for_one() -> None:
    nothing = np.zeros(0)
    batch = pack(make_batch([], [], nothing, nothing, nothing, [], 0))
    for data in (batch, b""):
        assert not is_changes(data) and not is_notice(data)
    assert is_changes(pack_changes(CHANGES)) and not is_notice(pack_changes(CHANGES))
    assert is_notice(pack_notice(CHANGES)) and not is_changes(pack_notice(CHANGES))


def test_items_are_in_the_shards_of_the_catalogue() -> None:
    names = [f"item {n}" for n in range(50)]
    catalogue = Catalogue(2, seed=1, max_items=100)
    catalogue.slots(names)
    assert item_shards(names, 7) == catalogue.shards(7).tolist()


def test_damaged_and_newer_messages_are_refused() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        unpack_changes(b"I\x01")
    with pytest.raises(SourceError, match="form 9, this millirec reads form 1"):
        unpack_notice(b"N" + msgspec.msgpack.encode((9, [])))
