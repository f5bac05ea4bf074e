"""What stats tells of experiments is read back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.experiments.test_results import TWO, sums
from udfs.experiments.results import MEASURES, PREFIX, fields, key, lifts, uneven
from udfs.experiments.told import read
from udfs.options.experiments import GOALS


def bare(stats: dict[str, str]) -> dict[str, str]:
    return {name.removeprefix(PREFIX): text for name, text in stats.items()}


def test_what_is_written_is_read() -> None:
    found = sums(1, {"a": 900, "b": 1400}, {"a": 0.1, "b": 0.2})
    [told] = read(bare(fields(found, [TWO], {"e:b": 7, "e:mismatch": 9})))
    assert (told.name, told.goal, told.mismatch_since) == ("e", "clicks_per_view", 9)
    assert told.mismatch_p == pytest.approx(uneven(found, TWO))
    control, other = told.variants
    assert (control.name, control.since, control.lifts) == ("a", 0, {})
    assert (other.name, other.since, {*other.lifts}) == ("b", 7, {*GOALS})
    for goal in GOALS:
        [(_, lift)] = lifts(found, TWO, goal)
        assert other.lifts[goal] == pytest.approx(lift)
    for measure in MEASURES:
        assert other.sums.get(measure) == pytest.approx(found.get(key("e", "b", measure)))


def test_the_control_is_first_although_nothing_is_known_yet() -> None:
    few = fields({"e:b:users": 3.0, "e:a:users": 4.0}, [TWO], {})
    [told] = read(bare(dict(reversed(few.items()))))
    assert [(v.name, v.lifts, v.since) for v in told.variants] == [("a", {}, 0), ("b", {}, 0)]
    assert (told.mismatch_p, told.mismatch_since) == (1.0, 0)


@given(st.dictionaries(st.text(":ab"), st.text("0.xnaife")))
def test_whatever_stands_there_is_no_error(stats: dict[str, str]) -> None:
    named = {name.partition(":")[0] for name in stats if ":" in name}
    assert {told.name for told in read(stats)} == named
