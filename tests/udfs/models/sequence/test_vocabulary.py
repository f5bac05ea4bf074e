from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.events.batch import item_key
from udfs.memory.catalogue import Catalogue
from udfs.models.sequence.vocabulary import Vocabulary


class Known:
    """What the table reads of a network."""

    def __init__(self, ids: list[str]) -> None:
        keys = np.array([item_key(item) for item in ids], np.uint64)
        order = np.argsort(keys)
        self.keys, self.rows = keys[order], (order + 1).astype(np.int32)
        self.vectors = np.zeros((len(ids) + 1, 2), np.float32)


def check(table: Vocabulary, catalogue: Catalogue, ids: list[str]) -> None:
    for slot in range(catalogue.size):
        key = int(catalogue.keys[slot])
        expected = [row for row, item in enumerate(ids, 1) if item_key(item) == key]
        assert table.row[slot] == (expected or [0])[0]
    for row in range(1, len(ids) + 1):
        slot = table.slot[row]
        assert slot < 0 or table.row[slot] == row
    assert np.count_nonzero(table.slot >= 0) == np.count_nonzero(table.row[: catalogue.size])


items = st.lists(st.sampled_from([f"i{n}" for n in range(12)]), min_size=1, max_size=8)


@given(st.lists(items, min_size=1, max_size=4), items, st.booleans())
def test_it_follows_the_catalogue(
    batches: list[list[str]], model: list[str], compacted: bool
) -> None:
    ids = sorted(set(model))
    network, catalogue, table = Known(ids), Catalogue(2, 1, 100), Vocabulary()
    catalogue.attach(table)
    for batch in batches:
        slots = catalogue.slots(batch)
        table.follow(network, catalogue)  # type: ignore[arg-type]
        check(table, catalogue, ids)
        catalogue.seen[slots[:1]] = 9
    catalogue.expire(5)
    if compacted:
        catalogue.compact()
    table.follow(network, catalogue)  # type: ignore[arg-type]
    check(table, catalogue, ids)
    catalogue.slots(batches[0])  # back again
    table.follow(network, catalogue)  # type: ignore[arg-type]
    check(table, catalogue, ids)
    other = ids[::-1]
    table.follow(Known(other), catalogue)  # type: ignore[arg-type]
    check(table, catalogue, other)


def test_items_that_are_known_only_by_their_key_have_a_row(tmp_path: Path) -> None:
    catalogue, table = Catalogue(2, 1, 100), Vocabulary()
    catalogue.attach(table)
    (slot,) = catalogue.slots_of_keys(np.array([item_key("b")], np.uint64)).tolist()
    table.follow(Known(["a", "b"]), catalogue)  # type: ignore[arg-type]
    assert table.row[slot] == 2
