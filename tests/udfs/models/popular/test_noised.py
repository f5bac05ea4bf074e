"""Orders of items by sums of noisy counts."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.builders import NOW, keys
from udfs.errors import ServiceError
from udfs.memory.catalogue import Catalogue
from udfs.models.popular.noised import Noised, Sums, pack_sums, read_sums

DAY = 86_400_000


def replica(*items: str, described: str = "") -> tuple[Catalogue, Noised]:
    catalogue = Catalogue(4, 0, 100)
    noised = catalogue.attach(Noised(catalogue, 1.0))
    slots = catalogue.slots(items)
    chosen = np.array(
        [s for s, item in zip(slots, items, strict=True) if item in described or not described]
    )
    catalogue.metadata.put(chosen, allowed=True)
    return catalogue, noised


def sums(**values: tuple[float, float]) -> Sums:
    return Sums(20_000, keys(values), np.array([*values.values()], np.float32).reshape(-1, 2))


def test_sums_survive_the_way_to_the_user_learners() -> None:
    one = read_sums(pack_sums(sums(a=(1.5, -2), b=(3, 4))))
    assert one.day == 20_000
    assert one.keys.tolist() == keys("ab").tolist()
    assert one.sums.tolist() == [[1.5, -2], [3, 4]]
    none = read_sums(pack_sums(sums()))
    assert len(none.keys) == len(none.sums) == 0


@pytest.mark.parametrize(
    "data", [b"", b"\x00", pack_sums(sums(a=(1, 2)))[:-2], msgspec.msgpack.encode([2, 0, b"", b""]),
             msgspec.msgpack.encode([1, 0, bytes(8), bytes(4)])]
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_words(data: bytes) -> None:
    with pytest.raises(ServiceError):
        read_sums(data)


def test_popular_are_those_with_a_sum_above_0_the_largest_first() -> None:
    catalogue, noised = replica("a", "b", "c", "d")
    noised.put(sums(a=(1, 0), b=(8, 0), c=(-3, 0), unknown=(99, 0)), NOW)
    order, shares = noised.popular()
    assert catalogue.names(order.tolist()) == ["b", "a"]
    assert shares.tolist() == [1.0, 0.125]
    noised.put(sums(a=(16, 0)), NOW + DAY)
    assert catalogue.names(noised.popular()[0].tolist()) == ["a", "b"]


def test_only_items_that_lines_describe_and_that_may_be_shown_are_listed() -> None:
    catalogue, noised = replica("a", "b", "c", described="ab")
    noised.put(sums(a=(1, 0), b=(8, 0), c=(9, 0)), NOW)
    catalogue.shown[catalogue.find(["b"])] = False
    assert catalogue.names(noised.popular()[0].tolist()) == ["a"]


def test_nothing_is_listed_before_the_first_day_is_closed() -> None:
    _, noised = replica("a", "b")
    for order, shares in (noised.popular(), noised.trending()):
        assert len(order) == len(shares) == 0


def test_an_item_stays_known_as_long_as_days_are_closed_with_it() -> None:
    catalogue, noised = replica("a", "b")
    noised.put(sums(a=(1, 0)), NOW)
    catalogue.expire(NOW)
    assert catalogue.find(["a", "b"])[0] >= 0
    assert catalogue.find(["b"])[0] < 0


def test_trending_is_what_is_above_its_share_by_more_than_noise() -> None:
    catalogue, noised = replica("a", "b", "c")
    steady = dict.fromkeys("bc", (2000.0, 200.0))
    noised.put(sums(a=(900, 600), **steady), NOW)
    order, shares = noised.trending()
    assert catalogue.names(order.tolist()) == ["a"]
    assert shares.tolist() == [1.0]
    noised.put(sums(a=(30, 15), b=(40, 4), c=(40, 4)), NOW)
    assert not len(noised.trending()[0]), "noise may be as large"


def test_what_follows_from_noisy_counts_knows_nothing_of_the_exact_ones() -> None:
    catalogue, noised = replica("a", "b")
    noised.put(sums(a=(5, 1), b=(4, 1)), NOW)
    before = [part.tolist() for part in (*noised.popular(), *noised.trending())]
    for exact in (catalogue.popularity, catalogue.sums, catalogue.events, catalogue.takers):
        exact[:] = np.random.default_rng(1).integers(0, 99, exact.shape)
    assert [part.tolist() for part in (*noised.popular(), *noised.trending())] == before


@given(st.permutations("abcdef"), st.lists(st.integers(0, 2), min_size=6, max_size=6))
def test_equal_sums_do_not_tell_which_item_was_taken_first(
    order: list[str], levels: list[int]
) -> None:
    levels[0] = 2  # of equal ones, there may be any number
    found = []
    values = sums(**{i: (900 * n, 600 * n) for i, n in zip("abcdef", levels, strict=True)})
    for items in ("abcdef", order):
        catalogue, noised = replica(*items)
        noised.put(values, NOW)
        orders = noised.popular(), noised.trending()
        found.append([(catalogue.names(one.tolist()), by.tolist()) for one, by in orders])
    assert found[0] == found[1]
