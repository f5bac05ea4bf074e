"""The items a learner knows: slots, growth, room, expiry, compaction."""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs import reference
from tests.udfs.builders import keys
from udfs.events.batch import item_key
from udfs.memory.catalogue import Catalogue
from udfs.state.records import ITEM_VERSION


def test_slots_are_given_once_and_start_where_every_process_starts() -> None:
    one, other = Catalogue(4, 7, 100), Catalogue(4, 7, 100)
    assert one.slots(["a", "b", "a"]).tolist() == [0, 1, 0]
    assert other.slots(["b"]).tolist() == [0]
    assert np.array_equal(one.q[1], other.q[0])
    np.testing.assert_allclose(
        one.q[0], reference.initial_factors(item_key("a"), 7, 4), rtol=1e-6, atol=1e-7
    )
    assert one.checksum[1] == zlib.crc32(b"b")
    assert one.names([1, 0]) == ["b", "a"]
    assert one.find(["b", "c"]).tolist() == [1, -1]
    assert (one.size, one.living) == (2, 2)


def test_an_empty_catalogue_finds_nothing() -> None:
    assert Catalogue(4, 1, 10).find(["a", "b"]).tolist() == [-1, -1]


def test_it_grows_and_keeps_everything() -> None:
    catalogue = Catalogue(3, 1, 10_000)
    names = [f"item {k} · ü" for k in range(3000)]
    slots = catalogue.slots(names)
    assert slots.tolist() == list(range(3000))
    first, last = catalogue.q[0].copy(), catalogue.q[2999].copy()
    catalogue.slots([f"more {k}" for k in range(3000)])
    assert np.array_equal(catalogue.q[0], first)
    assert np.array_equal(catalogue.q[2999], last)
    assert catalogue.find(names).tolist() == slots.tolist()
    begin = catalogue.text_at[2999]
    text = catalogue.text[begin : begin + catalogue.text_length[2999]].tobytes()
    assert text.decode() == '{"item":"item 2999 · ü","score":'


def test_shards_of_slots_are_known_also_of_an_item_that_was_a_key_before() -> None:
    catalogue = Catalogue(4, 1, 1000)
    early = catalogue.slots_of_keys(keys(["early"]))[0]
    for n in range(400):
        catalogue.slots([f"i{n}"])
        if n % 100 == 0:
            catalogue.shards(3)
    catalogue.slots(["early"])
    expected = [zlib.crc32(name.encode()) % 3 for name in catalogue.names(range(401))]
    assert early == 0
    assert catalogue.shards(3).tolist() == expected


def test_a_full_catalogue_gives_slots_only_to_known_items() -> None:
    catalogue = Catalogue(4, 1, 2)
    assert catalogue.slots(["a", "b", "c", "a"]).tolist() == [0, 1, -1, 0]
    catalogue.put_rows(["b", "d"], catalogue.rows(np.array([0, 0])))
    assert (catalogue.size, catalogue.living) == (2, 2)
    catalogue.expire(1)
    assert catalogue.slots(["d", "a", "c"]).tolist() == [2, 0, -1]


def test_a_key_from_a_history_is_a_slot_that_is_not_shown() -> None:
    catalogue = Catalogue(4, 1, 10)
    slot = int(catalogue.slots_of_keys(keys("a"))[0])
    assert not catalogue.alive[slot]
    assert catalogue.find(["a"]).tolist() == [-1]
    assert catalogue.names([slot]) == []
    assert catalogue.slots(["b", "a"]).tolist() == [1, slot], "the item itself takes that slot"
    assert catalogue.slots_of_keys(keys("babc")).tolist() == [slot + 1, slot, slot + 1, slot + 2]
    assert catalogue.slots_of_keys(keys("")).tolist() == []
    assert catalogue.known(keys("abcd")).tolist() == [slot, slot + 1, -1, -1]
    assert (catalogue.size, catalogue.living, catalogue.expired) == (3, 2, 0)


def test_rows_are_put_back_equal() -> None:
    one, other = Catalogue(4, 1, 10), Catalogue(4, 1, 10)
    slots = one.slots(["a", "b"])
    random = np.random.default_rng(0)
    one.q[slots] = random.normal(size=(2, 4))
    one.y[slots], one.spread[slots] = random.normal(size=(2, 4)), [[1, 2, 3], [4, 5, 6]]
    one.bias[slots], one.events[slots], one.seen[slots] = [1, -2], [3, 4], [50, 60]
    one.popularity[slots], one.popularity_at[slots] = [0.5, 7], [10, 11]
    other.slots(["x"])
    other.put_rows(["a", "b"], one.rows(slots))
    assert other.rows(other.find(["a", "b"])).tobytes() == one.rows(slots).tobytes()


def test_rows_beyond_the_limit_of_a_factor_are_clipped() -> None:
    catalogue = Catalogue(2, 1, 10)
    rows = catalogue.rows(catalogue.slots(["a"]))
    rows["factor"], rows["bias"] = [[1e30, -1e30]], 99
    rows["context"], rows["spread"] = [[-99, 99]], [[-1, 1e30, 7]]
    catalogue.put_rows(["a"], rows)
    assert catalogue.y[0].tolist() == [-16, 16]
    assert catalogue.spread[0].tolist() == [0, 100, 7]
    assert catalogue.q[0].tolist() == [16, -16]
    assert catalogue.bias[0] == 16


def test_an_expired_item_starts_again_when_it_returns() -> None:
    catalogue = Catalogue(4, 1, 10)
    slots = catalogue.slots(["old", "new"])
    first = catalogue.q[0].copy()
    catalogue.seen[slots] = [10, 20]
    catalogue.q[0], catalogue.popularity[0], catalogue.events[0] = 3, 9, 5
    catalogue.y[0], catalogue.spread[0] = 2, 1
    assert catalogue.expire(20) == ["old"]
    assert catalogue.find(["old", "new"]).tolist() == [-1, 1]
    assert (catalogue.living, catalogue.expired) == (1, 1)
    assert catalogue.expire(20) == []
    assert catalogue.slots(["old"]).tolist() == [0]
    assert np.array_equal(catalogue.q[0], first)
    assert not catalogue.y[0].any()
    assert not catalogue.spread[0].any()
    assert (catalogue.popularity[0], catalogue.events[0], catalogue.expired) == (0, 0, 0)


def text_of(catalogue: Catalogue, slot: int) -> str:
    """The item that the JSON fragment of a slot names."""
    begin = catalogue.text_at[slot]
    text = catalogue.text[begin : begin + catalogue.text_length[slot]].tobytes().decode()
    return text.removeprefix('{"item":"').removesuffix('","score":')


@pytest.mark.parametrize(("expired", "wasteful"), [(1000, False), (1001, True)])
def test_compaction_keeps_the_living(expired: int, wasteful: bool) -> None:
    catalogue = Catalogue(4, 1, 10_000)
    catalogue.slots([f"old {k}" for k in range(expired)])
    living = catalogue.slots(["a", "b"])
    catalogue.q[living], catalogue.seen[living], catalogue.events[living] = 2, 100, 7
    catalogue.expire(50)
    assert catalogue.wasteful is wasteful
    rows = catalogue.rows(living).tobytes()
    place = catalogue.compact()
    assert (catalogue.size, catalogue.living, catalogue.wasteful) == (2, 2, False)
    assert catalogue.find(["a", "b", "old 0"]).tolist() == [0, 1, -1]
    assert catalogue.rows(np.arange(2)).tobytes() == rows
    assert place[: expired + 3].tolist() == [*[-1] * expired, 0, 1, -1]
    assert [text_of(catalogue, slot) for slot in (0, 1)] == ["a", "b"]
    assert catalogue.shards(3).tolist() == [zlib.crc32(name) % 3 for name in (b"a", b"b")]


def test_items_in_histories_stay_known_by_key() -> None:
    catalogue = Catalogue(4, 1, 10)
    slots = catalogue.slots(["gone", "eaten", "new"])
    catalogue.slots_of_keys(keys(["only a key", "another"]))
    catalogue.q[slots], catalogue.seen[slots[2]] = 2, 100
    catalogue.expire(50)
    place = catalogue.compact(np.array([1, 3, 1], np.int32))
    assert place[:5].tolist() == [-1, 0, 1, 2, -1]
    assert (catalogue.size, catalogue.living, catalogue.expired) == (3, 1, 0)
    wanted = keys(["eaten", "new", "only a key"])
    assert np.array_equal(catalogue.keys[:3], wanted)
    assert catalogue.slots_of_keys(wanted).tolist() == [0, 1, 2]
    assert catalogue.ids == [None, "new", None]
    assert (catalogue.q[1] == 2).all() and not catalogue.q[[0, 2]].any()
    assert catalogue.text_length[[0, 2]].tolist() == [0, 0], "no list says why by it"
    assert catalogue.slots(["gone", "only a key", "eaten"]).tolist() == [3, 2, 0]
    assert (catalogue.size, catalogue.living, catalogue.expired) == (4, 4, 0)


@given(st.integers(1, 9), st.lists(st.integers(0, 4), max_size=6))
def test_records_are_those_of_numpy(d: int, chosen: list[int]) -> None:
    catalogue, random = Catalogue(d, 1, 10), np.random.default_rng(d)
    slots = catalogue.slots(list("abcde"))
    for name in ("q", "y", "bias", "spread", "popularity", "popularity_at"):
        column = getattr(catalogue, name)
        column[:5] = random.normal(size=column[:5].shape)
    catalogue.events[:5], catalogue.seen[:5] = random.integers(0, 2**40, (2, 5))
    at = slots[chosen]
    rows = np.zeros(len(at), catalogue.dtype)
    rows["version"], rows["d"] = ITEM_VERSION, d
    rows["factor"], rows["context"] = catalogue.q[at], catalogue.y[at]
    for name in ("bias", "spread", "events", "seen", "popularity", "popularity_at"):
        rows[name] = getattr(catalogue, name)[at]
    assert catalogue.rows(at).tobytes() == rows.tobytes()
