"""What `stats` says of experiments besides numbers is read back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.udfs.experiments.test_words import experiment
from udfs.experiments.results import PREFIX
from udfs.experiments.standing import Standing, fields, read
from udfs.experiments.words import Known

known = st.builds(
    Known, st.sampled_from("abc").map(experiment), st.integers(0, 9), st.integers(0, 9)
)


@given(st.lists(known, max_size=3, unique_by=lambda one: one.experiment.name), st.text(max_size=5))
def test_all_is_read_back(ones: list[Known], why: str) -> None:
    written = fields(ones, {"a": why})
    assert all(name.startswith(PREFIX) for name in written)
    found = read({name.removeprefix(PREFIX): value for name, value in written.items()})
    wanted = [Standing(*one, why if one.experiment.name == "a" else "") for one in ones]
    assert found == sorted(wanted, key=lambda one: (one.began, one.experiment.name))
    for one in found:
        assert one.runs == (one.ended == 0 and one.waits == "")


def test_stats_of_before_say_nothing() -> None:
    assert read({"a:x:users": "5", "a:mismatch_p": "1"}) == []
