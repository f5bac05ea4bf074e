"""The table of keys against a dictionary."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from udfs.memory.key_table import KeyTable
from udfs.models.item_cf.wire import KeyIndex

keys = st.integers(0, 2**64 - 1)


@given(st.lists(st.lists(keys, unique=True, max_size=200), max_size=8))
def test_it_finds_what_a_dictionary_finds(batches: list[list[int]]) -> None:
    table, plain = KeyTable(), dict[int, int]()
    for batch in batches:
        new = [key for key in batch if key not in plain]
        numbers, fresh = table.number(np.array(batch, np.uint64))
        plain |= {key: len(plain) + n for n, key in enumerate(new)}
        assert fresh.tolist() == new
        assert numbers.tolist() == [plain[key] for key in batch]
        wanted = [*batch, *(key ^ 1 for key in batch), 0]
        found = table.find(np.array(wanted, np.uint64)).tolist()
        assert found == [plain.get(key, -1) for key in wanted]
        assert len(table) == len(plain)


def test_keys_that_hash_to_the_same_place_are_all_found() -> None:
    table = KeyTable()
    table._factor = np.uint64(1)  # then the upper bits of a key say where it begins
    same = np.arange(100, dtype=np.uint64)
    table.number(same)
    assert table.find(same).tolist() == list(range(100))
    assert table.find(same + np.uint64(100)).tolist() == [-1] * 100


@given(st.lists(st.lists(st.integers(0, 600), max_size=300), max_size=5))
def test_numbers_of_keys_stay(batches: list[list[int]]) -> None:
    index, plain = KeyIndex(), dict[int, int]()
    for batch in batches:
        numbers = index.numbers(np.array(batch, np.uint64)).tolist()
        for key, number in zip(batch, numbers, strict=True):
            assert plain.setdefault(key, number) == number
            assert index.keys[number] == key
    assert sorted(plain.values()) == list(range(len(plain)))
