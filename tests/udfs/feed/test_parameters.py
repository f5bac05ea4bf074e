"""Shared parameters by name: changes of user learners add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from udfs.errors import ServiceError
from udfs.feed import parameters
from udfs.feed.parameters import Shared
from udfs.models.options import RankerOptions
from udfs.models.popular.mixture import Mixture
from udfs.ranking.ranker import RANKER, Ranker

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
    found = shared.take_changed(0)
    assert {name: values.tolist() for name, values in found.items()} == {
        name: values.tolist() for name, values in plain.items()
    }
    assert not shared.changed and shared.take_changed(0) == {}
    assert shared.values.keys() == plain.keys()


def test_ranker_parameters_start_at_their_initial_values_and_keep_their_limits() -> None:
    ranker = Ranker(RankerOptions())
    shared, begin = Shared({RANKER: ranker}), ranker.parameters
    change = np.ones(len(begin))
    change[0] = 1e9
    shared.add({RANKER: change})
    found = shared.take_changed(0)[RANKER]
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
    assert parameters.read(np.array([0.5]).tobytes())["ranker"].tolist() == [0.5]


@pytest.mark.parametrize("packed", [b"1234567", {"a": b"", "b": b"123456789"}])
def test_damage_is_refused(packed: parameters.Packed) -> None:
    with pytest.raises(ServiceError, match="bytes that cannot be read"):
        parameters.read(packed)


@given(
    arrays(
        np.float64,
        st.sampled_from([0, 1, 7, 1023, 1024, 1501]),
        elements=st.sampled_from([1.5, -2.0]),
        fill=st.sampled_from([0.0, 3.0]),
    ),
)
def test_all_are_read_as_they_were_and_mostly_zeros_are_short(values: NDArray[np.float64]) -> None:
    packed = parameters.pack({"a": values})
    assert parameters.read(packed)["a"].tolist() == values.tolist()
    assert len(packed["a"]) <= 8 * len(values)


def test_zeros_that_are_damaged_are_refused() -> None:
    sparse = np.zeros(2000)
    sparse[[3, 70]] = 1.0
    data = parameters.pack({"a": sparse})["a"]
    assert len(data) == 4 + 2 * 4 + 2 * 8
    for broken in (b"\x01\x00\x00\x00" + data[4:], b"\xff" * 4 + data[4:]):
        with pytest.raises(ServiceError, match="damaged"):
            parameters.read({"a": broken})


def test_names_beyond_the_most_are_not_taken() -> None:
    shared = Shared({})
    for n in range(parameters.MOST + 3):
        shared.add({f"name {n}": np.ones(1)})
    assert len(shared.values) == parameters.MOST
    shared.add({"name 0": np.ones(1)})
    assert shared.values["name 0"].tolist() == [2.0]


def test_long_parameters_are_told_less_often() -> None:
    shared = Shared({})

    def told(now_ms: int) -> list[str]:
        shared.add({"long": np.ones(1024), "short": np.ones(2)})
        return sorted(shared.take_changed(now_ms))

    assert told(1000) == ["long", "short"]
    assert told(1000 + parameters.LONG_MS - 1) == ["short"]
    assert shared.changed
    assert told(1000 + parameters.LONG_MS) == ["long", "short"]
    assert not shared.changed


def test_hits_of_an_older_state_are_completed_by_their_holder() -> None:
    shared = Shared({"popular": Mixture()})
    shared.put({"popular": np.array([1.0, 2, 9, 3, 4])})
    shared.add({"popular": np.array([0.0, 0, 1, 0, 0, 2])})
    assert shared.values["popular"].tolist() == [1, 2, 10, 3, 4, 11]
    shared.add({"popular": np.ones(5)})
    assert shared.values["popular"].tolist() == [1, 2, 10, 3, 4, 11], "of an older learner"
