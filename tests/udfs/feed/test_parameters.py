"""Shared parameters by name: changes of user learners add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.parameters import RANKER, Shared
from udfs.models.options import RankerOptions
from udfs.ranking.ranker import Ranker

names = st.sampled_from(["a", "sequence", "ü"])
changes = st.dictionaries(names, st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=2))


@given(changes)
def test_what_is_packed_is_read(given_values: dict[str, list[float]]) -> None:
    packed = parameters.pack({name: np.array(values) for name, values in given_values.items()})
    found = parameters.read(packed)
    assert {name: values.tolist() for name, values in found.items()} == given_values


@given(st.lists(changes, max_size=6))
def test_changes_of_unknown_names_add_up_from_0(
    parts: list[dict[str, list[float]]],
) -> None:
    shared, plain = Shared({}), dict[str, np.ndarray]()
    for one in parts:
        shared.add({name: np.array(values) for name, values in one.items()})
        for name, values in one.items():
            plain[name] = plain.get(name, np.zeros(2)) + values
    assert shared.changed == bool(plain)
    found = shared.take_changed()
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in plain.items()
    }
    assert not shared.changed and shared.take_changed() == {}
    assert shared.values.keys() == plain.keys()


def test_ranker_parameters_start_at_their_initial_values_and_keep_their_limits() -> None:
    ranker = Ranker(RankerOptions())
    shared, begin = Shared({RANKER: ranker}), ranker.parameters
    change = np.ones(len(begin))
    change[0] = 1e9
    shared.add({RANKER: change})
    found = shared.take_changed()[RANKER]
    assert found.tolist() == ranker.parameters.tolist()
    assert found[0] == 1e3
    assert found[1:].tolist() == (begin + change)[1:].tolist()


def test_changes_of_another_size_are_left_out() -> None:
    shared = Shared({RANKER: Ranker(RankerOptions())})
    shared.put({"a": np.array([1.0, np.nan])})
    shared.add({"a": np.ones(3), RANKER: np.ones(1)})
    assert not shared.changed
    assert shared.values["a"].tolist() == [1, 0]


def test_the_ranker_is_unnamed_in_older_forms() -> None:
    assert parameters.read(b"") == {}
    assert parameters.read(np.array([0.5]).tobytes())[RANKER].tolist() == [0.5]


@pytest.mark.parametrize("packed", [b"1234567", {"a": b"", "b": b"123456789"}])
def test_damage_is_refused(packed: parameters.Packed) -> None:
    with pytest.raises(ServiceError, match="bytes, which is no multiple of 8"):
        parameters.read(packed)
