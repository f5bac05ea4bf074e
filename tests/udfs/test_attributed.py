"""Sums of what became of lists: nothing gets lost in tables, intervals hold, places are found."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.attributed import (
    GROUPS,
    LATER,
    NAMES,
    OTHER,
    PLACES,
    UNKNOWN,
    add,
    examined,
    fields,
    position,
    read,
    tables,
    wilson,
)

names = st.text(max_size=8)


@given(st.lists(st.tuples(st.sampled_from(GROUPS), names, st.sampled_from(["views", "clicks"]))))
def test_a_table_has_all_that_was_added(added: list[tuple[str, str, str]]) -> None:
    sums: dict[str, float] = {}
    for one in added:
        add(sums, *one)
    for group in GROUPS:
        found = tables(sums)[group]
        for name, row in found.items():
            for measure, value in row.items():
                assert value == added.count((group, name, measure))
        whole = sum(value for row in found.values() for value in row.values())
        assert whole == sum(one[0] == group for one in added)


def test_names_beyond_the_first_are_one_row_that_stays_as_the_others_grow() -> None:
    sums: dict[str, float] = {}
    for n in range(NAMES + 3):
        add(sums, "category", f"c{n}", "views")
    add(sums, "category", OTHER, "views")
    add(sums, "category", f"c{NAMES + 2}", "views", 99.0)
    found = tables(sums)["category"]
    assert len(found) == NAMES + 1
    assert found[OTHER]["views"] == 4 + 99 and found[f"c{NAMES - 1}"]["views"] == 1


@given(st.integers(1, 10**6), st.data())
def test_an_interval_holds_its_share(trials: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, trials))
    low, high = wilson(hits, trials)
    assert 0.0 <= low <= hits / trials + 1e-12 and hits / trials - 1e-12 <= high <= 1.0
    wider = wilson(hits / 2, trials / 2)
    assert wider[1] - wider[0] >= high - low - 1e-12


def test_nineteen_of_twenty_intervals_hold_the_truth() -> None:
    draws = np.random.default_rng(0)
    for share, trials in ((0.02, 300), (0.1, 100), (0.5, 40)):
        hits = draws.binomial(trials, share, 2000).tolist()
        inside = [low <= share <= high for low, high in (wilson(one, trials) for one in hits)]
        assert 0.93 <= np.mean(inside) <= 0.975


@pytest.mark.parametrize("patience", [0.6, 0.85, 1.0])
def test_the_places_of_explored_items_tell_how_likely_they_are_looked_at(patience: float) -> None:
    """Whatever the items at other places, and however many there were at each."""
    draws = np.random.default_rng(1)
    rows = {}
    for place in range(1, 10):
        views = int(draws.integers(20_000, 60_000))
        rows[str(place + 1)] = {
            "views": float(views),
            "clicks": float(draws.binomial(views, 0.05 * patience**place)),
        }
    assert examined(rows) == pytest.approx(patience, abs=0.03)
    rows[LATER] = {"views": 1e6, "clicks": 1e6}
    assert examined(rows) == pytest.approx(patience, abs=0.03)


def test_places_are_not_told_from_few_clicks() -> None:
    rows = {"2": {"views": 900.0, "clicks": 12.0}, "3": {"views": 900.0, "clicks": 7.0}}
    assert math.isnan(examined(rows))
    assert math.isnan(examined({"2": {"views": 900.0, "clicks": 50.0}}))
    rows["3"]["clicks"] = 8.0
    assert examined(rows) == pytest.approx(2 / 3)


def test_the_fields_say_how_likely_each_place_is_looked_at() -> None:
    sums: dict[str, float] = {"unknown_lists": 4.0}
    for place in range(PLACES + 2):
        add(sums, "position", position(place), "views", 10.0)
    for name, clicks in (("2", 40.0), ("3", 20.0)):
        add(sums, "drawn", name, "views", 400.0)
        add(sums, "drawn", name, "clicks", clicks)
    told = read(fields(sums))
    assert [told[f"position:{n}:examined"] for n in (1, 2, 4)] == pytest.approx([1, 0.5, 0.125])
    assert f"position:{LATER}:examined" not in told and told["position:later:views"] == 20
    assert told[UNKNOWN[0]] == 4
    assert fields({}) == {}
