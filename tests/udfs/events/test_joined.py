"""Messages about persons between operators."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from tests.udfs.builders import NOW, batch_of, with_columns
from udfs.errors import SourceError
from udfs.events.batch import item_key
from udfs.events.joined import (
    NOTED,
    Joined,
    events_of,
    is_joined,
    item_keys,
    noted,
    pack_joined,
    unpack_joined,
)
from udfs.events.people import PersonChange, is_people
from udfs.events.searches import is_searches


def test_a_message_comes_back_and_is_no_other() -> None:
    said = [PersonChange("profile", "ann", 5, {"country": "DE"})]
    joined = Joined(place="ann", ids=["ann", "anon"], events=b"e", moved=b"\1", more=-3, said=said)
    data = pack_joined(joined)
    assert unpack_joined(data) == joined
    assert is_joined(data) and not is_people(data) and not is_searches(data)


def test_another_version_and_damage_are_said() -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        unpack_joined(b"J\x93")
    with pytest.raises(SourceError, match="has form 9, this millirec reads form 1"):
        unpack_joined(b"J" + msgspec.msgpack.encode((9, Joined(place="ann"))))


def test_events_are_noted_in_the_order_of_arrival() -> None:
    batch = with_columns(batch_of([("ann", "x"), ("bob", "y")], [1.0, -0.5]), ratings=[4, np.nan])
    known: dict[str, int] = {}
    rows = noted(batch, 7, item_keys(batch.items, known, 10))
    assert rows.dtype == NOTED and NOTED.itemsize == 33
    assert rows["order"].tolist() == [7, 8]
    assert rows["item"].tolist() == [item_key("x"), item_key("y")]
    assert rows["weight"].tolist() == [1.0, -0.5]
    assert rows["rating"][0] == 4 and np.isnan(rows["rating"][1])
    assert (rows["ts"] == NOW).all() and rows["flags"].tolist() == [1, 1]
    assert np.array_equal(events_of(rows.tobytes() + b"rest")["item"], rows["item"])


def test_few_keys_are_kept() -> None:
    known: dict[str, int] = {}
    for name in "abcdef":
        item_keys([name], known, 3)
    assert len(known) <= 4
