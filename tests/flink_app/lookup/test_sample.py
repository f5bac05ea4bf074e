"""A sample of lists says how evenly they share out the catalogue."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flink_app.lookup.sample import gini, lorenz_curve, read_sample, top_share

counts = st.lists(st.integers(0, 1000), min_size=1, max_size=60).filter(any)


@given(counts)
def test_gini_is_the_mean_difference_of_all_pairs(values: list[int]) -> None:
    x = np.array(values)
    wanted = np.abs(x[:, None] - x[None, :]).mean() / (2 * x.mean())
    assert gini(x) == pytest.approx(wanted, abs=1e-4)


@given(counts)
def test_a_lorenz_curve_ascends_below_the_diagonal_and_encloses_gini(values: list[int]) -> None:
    curve = lorenz_curve(np.array(values), steps=len(values))
    assert (curve[0], curve[-1]) == (0.0, pytest.approx(1.0))
    assert (np.diff(curve) >= -1e-12).all()
    at = np.linspace(0, 1, len(curve))
    assert (curve <= at + 1e-9).all()
    between = float(((at - curve)[1:] + (at - curve)[:-1]).sum()) / len(values)
    assert between == pytest.approx(gini(np.array(values)), abs=1e-3)


@given(counts)
def test_the_top_has_at_least_its_share(values: list[int]) -> None:
    assert 1 / len(values) - 1e-4 <= top_share(np.array(values), 0.01) <= 1


def put(client: Any, key: str, items: list[str], source: str = "ranker") -> None:
    entries = [{"item": item, "score": 1, "why": {"model": "mf"}} for item in items]
    found = {"id": "1", "at": 1, "v": 1, "source": source, "items": entries}
    client.set(key, msgspec.json.encode(found))


@pytest.mark.parametrize("prefix", ["", "shop*[1]:"])
def test_lists_of_this_prefix_are_read_and_what_is_none_is_passed_over(
    redis_client: Any, prefix: str
) -> None:
    many = [f"i{n}" for n in range(20)]
    for user in range(3):
        put(redis_client, f"{prefix}rec:{user}", many)
    put(redis_client, f"{prefix}rec:new", ["i0", "hot"], "popular")
    put(redis_client, f"{prefix}rec:none", [])
    put(redis_client, f"{prefix}popular", ["hot", "i1"])
    redis_client.set(f"{prefix}rec:broken", "{")
    put(redis_client, "shopX1:rec:other", ["other"])
    found = read_sample(redis_client, prefix, 44)
    assert found is not None
    assert found.lists == 4
    assert (found.places, found.shown, found.catalogue) == (32, 11, 44)
    assert found.models == {"mf": 32}
    assert found.popular == pytest.approx((1 + 3) / 32)
    assert found.most[0] == ("i0", 1.0)
    assert len(found.lorenz) == 101
    assert found.lorenz[75] == 0  # 33 of 44 items are never shown


def test_no_more_lists_are_read_than_asked_for(redis_client: Any) -> None:
    for user in range(1200):
        put(redis_client, f"rec:{user}", [f"i{user}"])
    found = read_sample(redis_client, "", 0, most=700)
    assert found is not None
    assert (found.lists, found.catalogue, found.gini) == (700, 700, 0.0)
    assert read_sample(redis_client, "absent:", 9) is None
